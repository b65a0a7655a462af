import assert from "node:assert/strict";
import { exportJWK, importSPKI } from "jose";
import {
  done,
  listKeys,
  makeOlder,
  only,
  preparedDirectory,
  refused,
  startSettled,
  WITH_SECRET,
} from "./commands.ts";
import { keyHeader, keyRows } from "./keys.ts";

const HOUR = 3600;
const DAY = 24 * HOUR;

interface Plan {
  events: { at: string; key: string; event: string }[];
  if_revoked_now: { kid: string; tokens: number; until: string | null } | null;
}

const prepared = await preparedDirectory({ ...WITH_SECRET, SIGNING_ALG: "RS256" });
Deno.test.afterAll(() => prepared[Symbol.asyncDispose]());

function seconds(time: string | null): number {
  return Date.parse(time!) / 1000;
}

Deno.test("keys list --json tells each stored key's algorithm, state and times", async () => {
  const keys = await listKeys(prepared);
  const rows = keyRows(prepared);
  assert.deepEqual(keys.map(({ kid }) => kid), rows.map(({ kid }) => String(kid)));
  keys.forEach((key, i) => {
    const header = keyHeader(rows[i]!);
    assert.equal(key.alg, "RS256");
    assert.equal(key.signer, key.state === "active");
    const times = [key.sign_from, key.sign_until, key.exp].map(seconds);
    assert.deepEqual(times, [header.sign_from, header.sign_until, header.exp]);
  });
  assert.deepEqual(keys.map(({ state }) => state).sort(), ["active", "born expired", "next"]);
});

Deno.test("keys list shows the same in a table, with a mark before the signer alone", async () => {
  const [heading, ...lines] = (await done(prepared, ["keys", "list"])).trimEnd().split("\n");
  assert.match(heading!, /^ *KID +ALG +STATE +SIGNS FROM +SIGNS UNTIL +LEAVES THE JWKS$/);
  const keys = await listKeys(prepared);
  assert.equal(lines.length, keys.length);
  keys.forEach((key, i) => {
    const line = lines[i]!;
    assert.equal(line.startsWith("*"), key.signer);
    for (const cell of [key.kid, key.alg, key.state]) assert.ok(line.includes(cell), line);
    const leaves = `${key.exp.slice(0, 19).replace("T", " ")}Z`;
    assert.ok(line.endsWith(key.state === "born expired" ? "never in it" : leaves), line);
  });
});

Deno.test("states follow the clock: what was next signs, what signed only verifies, then expires", async () => {
  const active = only(await listKeys(prepared), "active");
  await using directory = await prepared.copy();
  const shift = seconds(active.sign_until) - Date.now() / 1000 + 10; // its time to sign is over
  await makeOlder(directory, Math.ceil(shift));
  const retired = await listKeys(directory);
  assert.equal(only(retired, "active").sign_from, only(retired, "passive").sign_until);
  assert.ok(!retired.some(({ state }) => state === "next"));
  await makeOlder(directory, HOUR + 300); // token life and clock skew
  const left = await listKeys(directory);
  assert.deepEqual(left.map(({ state }) => state).sort(), ["active", "born expired", "expired"]);
});

Deno.test("keys plan shows a year of keys: announced a day ahead, one after the other, then gone", async () => {
  const { events }: Plan = JSON.parse(
    await done(prepared, ["keys", "plan", "--until", "1y", "--json"]),
  );
  const times = events.map(({ at }) => seconds(at));
  assert.deepEqual(times, times.toSorted((one, other) => one - other));
  const now = Date.now() / 1000;
  assert.ok(times.every((at) => now - 60 < at && at <= now + 365 * DAY + 60));
  const of = (key: string, event: string) => {
    const found = events.filter((other) => other.key === key && other.event === event);
    assert.ok(found.length <= 1, `${key} ${event}`);
    return found[0] && seconds(found[0].at);
  };
  const names = events.filter(({ event }) => event === "retires").map(({ key }) => key);
  assert.equal(names.length, 12); // every 30 days
  names.forEach((name, i) => {
    const retires = of(name, "retires")!;
    const [published, signs, leaves, deleted] = ["published", "signs", "leaves", "deleted"]
      .map((event) => of(name, event));
    assert.equal(signs, i === 0 ? undefined : of(names[i - 1]!, "retires"));
    if (published !== undefined) assert.ok(published <= signs! - DAY);
    if (leaves !== undefined) assert.equal(leaves, retires + HOUR + 300);
    if (deleted !== undefined) assert.equal(deleted, leaves! + 7 * DAY);
  });
  const keys = await listKeys(prepared);
  assert.deepEqual(names.slice(0, 2), [only(keys, "active").kid, only(keys, "next").kid]);
});

Deno.test("keys plan looks as far as --until, and shows in a table what it shows in JSON", async () => {
  const args = ["keys", "plan", "--until", "45d"];
  const { events }: Plan = JSON.parse(await done(prepared, [...args, "--json"]));
  const lines = (await done(prepared, args)).trimEnd().split("\n");
  assert.match(lines[0]!, /^AT +KEY +ALG +EVENT$/);
  assert.equal(lines.length, events.length + 2); // the heading, and what revoking would cost
  events.forEach(({ at, key }, i) => {
    assert.ok(lines[i + 1]!.startsWith(`${at.slice(0, 19).replace("T", " ")}Z  ${key}`));
  });
});

Deno.test("keys plan counts the tokens that revoking the signer would break, and until when", async () => {
  await using server = await startSettled();
  const cost = async () => {
    const plan: Plan = JSON.parse(await done(server.directory, ["keys", "plan", "--json"]));
    return plan.if_revoked_now!;
  };
  const { kid } = only(await listKeys(server.directory), "active");
  assert.deepEqual(await cost(), { kid, tokens: 0, until: null, problem: null });
  const user = await server.register();
  const tokens: string[] = [];
  for (let i = 0; i < 3; i++) tokens.push(await server.token(user));
  assert.equal((await server.login({ ...user, password: "wrong" })).status, 401);
  const { exp } = JSON.parse(atob(tokens[2]!.split(".")[1]!));
  const { until, ...rest } = await cost();
  assert.deepEqual(rest, { kid, tokens: 3, problem: null });
  assert.ok(Math.abs(seconds(until) - exp) <= 1);
  assert.match(await done(server.directory, ["keys", "plan"]), /at most 3 tokens .* until 20\d\d-/);
});

Deno.test("keys export prints the public half alone, as JWK and as PEM", async () => {
  const { kid } = only(await listKeys(prepared), "active");
  const jwk = JSON.parse(await done(prepared, ["keys", "export", kid]));
  assert.deepEqual(Object.keys(jwk).sort(), ["alg", "e", "kid", "kty", "n", "use"]);
  assert.deepEqual([jwk.kid, jwk.alg, jwk.use], [kid, "RS256", "sig"]);
  const pem = await done(prepared, ["keys", "export", kid, "--format", "pem"]);
  assert.match(pem, /^-----BEGIN PUBLIC KEY-----\n[\w+/=\n]+\n-----END PUBLIC KEY-----\n$/);
  const { n, e } = await exportJWK(await importSPKI(pem, "RS256", { extractable: true }));
  assert.deepEqual([n, e], [jwk.n, jwk.e]);
});

Deno.test("what keys export prints is the member of the JWKS", async () => {
  await using server = await startSettled();
  for (const member of (await server.jwks()).json.keys) {
    const exported = await done(server.directory, ["keys", "export", member.kid]);
    assert.deepEqual(JSON.parse(exported), member);
  }
});

Deno.test("a kid that is not there is told, with exit code 1 and where to look", async () => {
  for (const command of ["export", "revoke"]) {
    const stderr = await refused(prepared, ["keys", command, "123"], 1, /there is no key 123$/);
    assert.match(stderr, /hint: .*keys list/);
  }
});

Deno.test("commands that only look change nothing", async () => {
  await using directory = await prepared.copy();
  const rows = keyRows(directory);
  const { kid } = only(await listKeys(directory), "next");
  for (const line of ["keys list", "keys plan", `keys export ${kid}`, "users list", "logs"]) {
    await done(directory, line.split(" "));
  }
  assert.deepEqual(keyRows(directory), rows);
});
