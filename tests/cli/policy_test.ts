import assert from "node:assert/strict";
import { FakeClock, makeRing } from "../support.ts";
import { withWorkplace } from "./workplace.ts";

const HOUR = 3600;

Deno.test("keys rotate makes keys of the database's algorithm, whatever the shell says", async () => {
  await withWorkplace(async (workplace) => {
    const before = new Set((await workplace.keys()).map(({ kid }) => kid));
    for (const env of [{}, { SIGNING_ALG: "RS256" }]) {
      await workplace.run(["keys", "rotate", "--force"], env);
    }
    const made = (await workplace.keys()).filter(({ kid }) => !before.has(kid));
    assert.deepEqual(made.map(({ alg }) => alg), ["ES256", "ES256"]);
  }, { alg: "ES256" });
});

Deno.test("keys rotate lets a key sign for as long as the database's policy says", async () => {
  await withWorkplace(async (workplace) => {
    await workplace.run(["keys", "rotate", "--force"], { KEY_ROTATION: "300d" });
    const plan = JSON.parse(await workplace.run(["keys", "plan", "--json"])).events;
    const signer = (await workplace.keys()).find(({ signer }) => signer)!;
    const end = plan.find((row: { key: string; event: string }) =>
      row.key === signer.kid && row.event === "retires"
    );
    const days = (Date.parse(end.at) - Date.now()) / 86_400_000;
    assert.ok(days > 6.9 && days < 7.1, String(days));
  }, { alg: "ES256", rotation: 7 * 24 * HOUR });
});

Deno.test("Commands warn when the shell states another policy, and change nothing of it", async () => {
  await withWorkplace(async (workplace) => {
    const stored = () =>
      workplace.tamper((database) =>
        database.get<{ value: Uint8Array }>("SELECT value FROM meta WHERE name = 'policy'")!.value
      );
    const before = stored();
    const stated = { SIGNING_ALG: "RS256", KEY_ROTATION: "30d", EXPIRED_TOKENS: "off" };
    for (const args of [["keys", "list"], ["keys", "plan"], ["keys", "rotate", "--force"]]) {
      const { stderr, error } = await workplace.execute(args, stated);
      assert.equal(error, undefined);
      assert.match(stderr, /warning: .*configured otherwise/);
      assert.match(stderr, /SIGNING_ALG is RS256 here and ES256 there/);
      assert.match(stderr, /EXPIRED_TOKENS is off here and on there/);
      assert.doesNotMatch(stderr, /KEY_ROTATION/); // it is the same
    }
    assert.deepEqual(stored(), before);
    const { stderr } = await workplace.execute(["keys", "list"], { SIGNING_ALG: "ES256" });
    assert.equal(stderr, "");
    const findings = await workplace.examine(stated);
    const policy = findings.find(({ check }) => check === "policy")!;
    assert.equal(policy.status, "warning");
    assert.match(policy.message, /SIGNING_ALG is RS256 here and ES256 there/);
    assert.match(policy.hint!, /commands go by the database's/);
    assert.equal((await workplace.findings({ SIGNING_ALG: "ES256" })).policy, "ok");
  }, { alg: "ES256" });
});

Deno.test("doctor warns where a server that states nothing would change the database's policy", async () => {
  await withWorkplace(async (workplace) => {
    const policy = (await workplace.examine()).find(({ check }) => check === "policy")!;
    assert.equal(policy.status, "warning");
    const difference = "SIGNING_ALG is RS256 here and ES256 there";
    assert.equal(
      policy.message,
      `this environment does not state the database's policy: ${difference}`,
    );
    assert.match(policy.hint!, /^a server started like this would change it/);
  }, { alg: "ES256" });
});

Deno.test("keys plan is cut where too much would follow, and says where", async () => {
  await withWorkplace(async (workplace) => {
    const args = ["keys", "plan", "--until", "100y"];
    const { events, cut_at: cutAt } = JSON.parse(await workplace.run([...args, "--json"]));
    assert.ok(events.length > 1000 && events.length < 10_000, String(events.length));
    assert.match(cutAt, /^\d{4}-\d\d-\d\dT/);
    assert.ok(events.every(({ at }: { at: string }) => at < cutAt));
    const table = (await workplace.run(args)).split("\n");
    const cut = cutAt.slice(0, 16).replace("T", " ");
    assert.ok(
      table.some((line) => line.startsWith(`It goes on like this from ${cut.slice(0, 10)}`)),
    );
    const whole = JSON.parse(await workplace.run(["keys", "plan", "--until", "1d", "--json"]));
    assert.equal(whole.cut_at, null);
    assert.doesNotMatch(
      await workplace.run(["keys", "plan", "--until", "1d"]),
      /goes on like this/,
    );
  }, { alg: "ES256", rotation: HOUR, prepublish: 360, tokenTtl: 60 });
});

Deno.test("keys plan shows of which algorithm each key is: new ones of the policy's", async () => {
  await withWorkplace(async (workplace) => {
    await workplace.withStorage(async (storage) => {
      await makeRing({ storage, policy: { alg: "EdDSA" }, time: new FakeClock(Date.now()) });
    });
    const events: { key: string; alg: string }[] =
      JSON.parse(await workplace.run(["keys", "plan", "--json"])).events;
    const algorithms = new Map(events.map(({ key, alg }) => [key, alg]));
    const held = (await workplace.keys()).filter(({ state }) => state !== "born expired");
    assert.equal(held.length, 2);
    for (const { kid } of held) assert.equal(algorithms.get(kid), "ES256");
    assert.equal(algorithms.get("new key 1"), "EdDSA");
    const table = await workplace.run(["keys", "plan"]);
    assert.match(table, /^AT +KEY +ALG +EVENT$/m);
    assert.match(table, /Z {2}new key 1 +EdDSA {2}is published$/m);
  }, { alg: "ES256" });
});
