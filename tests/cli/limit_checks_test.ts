import assert from "node:assert/strict";
import { checkSharedLimit } from "../../lib/cli/limit_checks.ts";
import { parseValkeyUrl } from "../../lib/limits/valkey/location.ts";
import { freePort } from "../blackbox/harness.ts";
import { ignore, oneValkey, withValkey } from "../limits/valkey/valkeys.ts";

const withOne = oneValkey();

/** What is found of the server at `url`. */
function check(url: string, isStrict = false) {
  return checkSharedLimit({ location: parseValkeyUrl(url)!, caFile: undefined, isStrict });
}

Deno.test({
  name: "doctor says how long a shared decision takes, on what, and what is done without",
  ignore,
}, async () => {
  await withOne(async ({ url, port }) => {
    const [decisions, memory] = await check(url);
    assert.deepEqual([decisions!.status, memory!.status], ["ok", "ok"]);
    const message = new RegExp(
      `^redis://127\\.0\\.0\\.1:${port} decides in \\d+\\.\\d ms; while it does not, each server ` +
        "decides by itself$",
    );
    assert.match(decisions!.message, message);
    assert.match(
      memory!.message,
      /^(Redis|Valkey) \d.*, no maxmemory, maxmemory-policy noeviction$/,
    );
    assert.match((await check(url, true))[0]!.message, /requests are refused$/);
  });
});

Deno.test({ name: "doctor leaves nothing for long in a Valkey", ignore }, async () => {
  await withOne(async ({ url }, connection) => {
    await check(url);
    const keys = await connection.send("KEYS", "*") as string[];
    assert.ok(keys.every((key) => key === "jwks-server:limit:doctor:all"), String(keys));
    const rest = await connection.send("PTTL", "jwks-server:limit:doctor:all") as number;
    assert.ok(rest === -2 || (rest >= 0 && rest < 1000), `${rest} ms`); // it is gone, or soon
  });
});

Deno.test(
  { name: "doctor warns of a Valkey that forgets limits when it is full", ignore },
  async () => {
    for (
      const [policy, maxmemory, status] of [
        ["allkeys-lru", "64mb", "warning"],
        ["volatile-ttl", "64mb", "warning"],
        ["noeviction", "64mb", "ok"],
        ["allkeys-lru", "0", "ok"],
      ] as const
    ) {
      const lines = [`maxmemory ${maxmemory}`, `maxmemory-policy ${policy}`];
      await withValkey(async ({ url }) => {
        const memory = (await check(url))[1]!;
        assert.deepEqual([memory.check, memory.status], ["rate limit memory", status], policy);
      }, { lines });
    }
  },
);

Deno.test(
  { name: "doctor warns where it may not ask a Valkey for its settings", ignore },
  async () => {
    const lines = ["user limited on >a-password-of-tests ~jwks-server:* +@all -info"];
    await withValkey(async ({ port }) => {
      const found = await check(`redis://limited:a-password-of-tests@127.0.0.1:${port}`);
      assert.deepEqual(found.map(({ status }) => status), ["ok", "warning"]);
      assert.match(found[1]!.hint!, /let the user run INFO/);
    }, { lines });
  },
);

Deno.test("doctor says why a Valkey decides nothing: a problem only where requests are refused", async () => {
  const port = freePort();
  for (const [isStrict, status] of [[false, "warning"], [true, "problem"]] as const) {
    const found = await check(`redis://:hunter2hunter2@127.0.0.1:${port}`, isStrict);
    assert.deepEqual(found.map((finding) => finding.status), [status]);
    assert.match(found[0]!.message, /decides nothing.*ECONNREFUSED/);
    assert.ok(!JSON.stringify(found).includes("hunter2"));
  }
});

Deno.test({ name: "doctor does not wait for a Valkey that stands still", ignore }, async () => {
  await withValkey(async (server) => {
    server.freeze();
    const found = await check(server.url);
    server.thaw();
    assert.deepEqual(found.map(({ status }) => status), ["warning"]);
  });
});
