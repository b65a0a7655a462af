import assert from "node:assert/strict";
import { checkTestTokens } from "../../lib/cli/checks.ts";
import { warnOfTestMode } from "../../lib/server/test_mode.ts";
import { recordingLog } from "../support.ts";
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

Deno.test("a server that gives test tokens warns of it at the start, and so does doctor", () => {
  const { log, lines } = recordingLog();
  warnOfTestMode(load(), log);
  assert.deepEqual(lines, []);
  assert.equal(checkTestTokens(load()).status, "ok");
  const on = load({ TEST_TOKENS: "on" });
  warnOfTestMode(on, log);
  const [{ level, message, hint }, ...more] = lines.map((line) => JSON.parse(line));
  assert.deepEqual([level, more], ["warn", []]);
  assert.match(message, /^TEST_TOKENS is on: .*signed by this server's keys$/);
  assert.match(hint, /never .* in production/);
  warnOfTestMode(load({ TEST_TOKENS: "on", ISSUER: "from-request" }), log);
  const others = lines.slice(1).map((line) => JSON.parse(line));
  assert.deepEqual(others.map(({ level, message }) => `${level} ${message.slice(0, 22)}`), [
    "warn TEST_TOKENS is on: eve",
    "warn ISSUER is from-request",
  ]);
  assert.deepEqual(checkTestTokens(on), { check: "test tokens", status: "warning", message, hint });
});
