import assert from "node:assert/strict";
import { checkTestTokens } from "../../lib/cli/server_checks.ts";
import { warnOfTestMode } from "../../lib/server/test_mode.ts";
import { makeApp, recordingLog } from "../support.ts";
import { load, problemsOf } from "./loaded.ts";

Deno.test("TEST_TOKENS is off unless it is on, and nothing else", () => {
  assert.equal(load().testTokens, false);
  assert.equal(load({ TEST_TOKENS: "off" }).testTokens, false);
  assert.equal(load({ TEST_TOKENS: "on" }).testTokens, true);
  for (const value of ["ON", "true", "1", "yes"]) {
    assert.deepEqual(problemsOf({ TEST_TOKENS: value }), [
      `TEST_TOKENS is "${value}"; allowed is on or off`,
    ]);
  }
});

Deno.test("a server that gives test tokens warns of it at the start, and so does doctor", async () => {
  const { log, lines } = recordingLog();
  warnOfTestMode(load(), log);
  assert.deepEqual(lines, []);
  assert.equal((await checkTestTokens(load({ PORT: "1" }))).status, "ok");
  const on = load({ TEST_TOKENS: "on" });
  warnOfTestMode(on, log);
  const [{ level, message, hint }, ...more] = lines.map((line) => JSON.parse(line));
  assert.deepEqual([level, more], ["warn", []]);
  assert.match(message, /^TEST_TOKENS is on: .*signed by this server's keys$/);
  assert.match(hint, /never .* in production/);
  assert.match(hint, /TEST_TOKENS=off and revoke the keys/, "a token outlives the switch");
  warnOfTestMode(load({ TEST_TOKENS: "on", ISSUER: "from-request" }), log);
  const others = lines.slice(1).map((line) => JSON.parse(line));
  assert.deepEqual(others.map(({ level, message }) => `${level} ${message.slice(0, 22)}`), [
    "warn TEST_TOKENS is on: eve",
    "warn ISSUER is from-request",
  ]);
  assert.deepEqual(await checkTestTokens(on), {
    check: "test tokens",
    status: "warning",
    message,
    hint,
  });
});

Deno.test("doctor asks the server whether it gives test tokens, whose environment may be another", async () => {
  for (const testTokens of [true, false]) {
    const { app } = await makeApp({ testTokens });
    await using server = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen() {} }, app.fetch);
    const { status, message } = await checkTestTokens(
      load({ ISSUER: `http://127.0.0.1:${server.addr.port}` }),
    );
    assert.equal(status, testTokens ? "warning" : "ok");
    if (!testTokens) assert.equal(message, "switched off");
  }
  const other = (answer: string) => {
    return Deno.serve(
      { hostname: "127.0.0.1", port: 0, onListen() {} },
      () => new Response(answer),
    );
  };
  for (const answer of ["{", "null", "{}", '{"paths":{"/auth":[]}}']) {
    await using server = other(answer);
    const ISSUER = `http://127.0.0.1:${server.addr.port}`;
    const { status, message } = await checkTestTokens(load({ ISSUER }));
    assert.equal(status, "ok");
    assert.match(message, /off in this environment, and no server answers/);
  }
});
