import assert from "node:assert/strict";
import {
  DomainError,
  type ErrorCode,
  keyUnreadable,
  storageUnavailable,
} from "../../lib/base/errors.ts";
import { EXIT, exitCodeOf, reportFailure } from "../../lib/cli/report.ts";

/** Reports a failure: the exit code, and the lines on standard error. */
function reported(error: unknown): { exitCode: number; lines: string[] } {
  const { writeSync } = Deno.stderr;
  let text = "";
  Deno.stderr.writeSync = (bytes) => {
    text += new TextDecoder().decode(bytes);
    return bytes.length;
  };
  try {
    const exitCode = reportFailure(error);
    assert.ok(text.endsWith("\n"));
    return { exitCode, lines: text.slice(0, -1).split("\n") };
  } finally {
    Deno.stderr.writeSync = writeSync;
  }
}

/** Every code with the exit code it ends in; the compiler sees that none is left out. */
const EXIT_CODES: Record<ErrorCode, number> = {
  invalid_request: 2,
  invalid_credentials: 1,
  invalid_client: 1,
  invalid_dpop_proof: 1,
  unsupported_grant_type: 1,
  invalid_scope: 1,
  invalid_target: 1,
  access_denied: 1,
  not_found: 1,
  method_not_allowed: 1,
  request_timeout: 1,
  already_registered: 1,
  payload_too_large: 1,
  unsupported_media_type: 1,
  rate_limited: 1,
  overloaded: 1,
  storage_unavailable: 1,
  configuration: 78,
  secret_unusable: 78,
  database_unusable: 78,
  key_unreadable: 78,
  usage: 2,
  key_refused: 1,
  conflict: 1,
  failed: 1,
};

Deno.test("exitCodeOf() is 2 for a wrong call, 78 for what must be mended first, else 1", () => {
  assert.deepEqual(EXIT, { failed: 1, usage: 2, config: 78 });
  for (const [code, exitCode] of Object.entries(EXIT_CODES)) {
    assert.equal(exitCodeOf(new DomainError(code as ErrorCode, "It failed")), exitCode, code);
  }
});

Deno.test("exitCodeOf() is 1 for whatever else was thrown", () => {
  const lookalike = Object.assign(new Error("no"), { code: "usage" });
  for (const error of [new Error("no"), lookalike, "text", null, undefined]) {
    assert.equal(exitCodeOf(error), 1);
  }
});

Deno.test("reportFailure() says what failed and, in a line for each hint, what to do", () => {
  const hints = ["set NOT_MY_KEY", "or NOT_MY_KEY_FILE"];
  const error = new DomainError("configuration", "No secret is set", { hints });
  assert.deepEqual(reported(error), {
    exitCode: 78,
    lines: [
      "jwks-server: error: no secret is set",
      "jwks-server: hint: set NOT_MY_KEY",
      "jwks-server: hint: or NOT_MY_KEY_FILE",
    ],
  });
});

Deno.test("reportFailure() leaves a name at the start of a sentence as it is", () => {
  const { lines } = reported(new DomainError("configuration", "PORT is no number"));
  assert.deepEqual(lines, ["jwks-server: error: PORT is no number"]);
});

Deno.test("reportFailure() tells the fault of the storage and the row of a key, not their causes", () => {
  const cause = new Error("SQLITE_BUSY in /some/path");
  const busy = reported(storageUnavailable("locked", cause));
  assert.equal(busy.exitCode, 1);
  assert.equal(busy.lines[0], "jwks-server: error: the database is locked");
  const altered = reported(keyUnreadable(1234, "it was altered", cause));
  assert.equal(altered.exitCode, 78);
  assert.match(altered.lines[0]!, /^jwks-server: error: row 1234 .*it was altered$/);
  assert.doesNotMatch([...busy.lines, ...altered.lines].join(), /SQLITE|path/);
});

Deno.test("reportFailure() reports an unexpected error with its stack, to be sent on", () => {
  const { exitCode, lines } = reported(new TypeError("undefined is not a function"));
  assert.equal(exitCode, 1);
  assert.equal(
    lines[0],
    "jwks-server: error: unexpected: TypeError: undefined is not a function",
  );
  assert.match(lines[1]!, /^jwks-server: +at .*report_test\.ts/);
  assert.equal(lines.at(-1), "jwks-server: hint: please report this");
});

Deno.test("reportFailure() says what else was thrown, as text", () => {
  assert.deepEqual(reported("a text"), {
    exitCode: 1,
    lines: ["jwks-server: error: unexpected: a text", "jwks-server: hint: please report this"],
  });
});

Deno.test("reportFailure() keeps each line one line, and obeys nothing that stands in it", () => {
  const hints = ["move it\njwks-server: error: away"];
  const error = new DomainError("database_unusable", "The file a\n\x1b[2Jb is\u202e bad", {
    hints,
  });
  assert.deepEqual(reported(error).lines, [
    "jwks-server: error: the file a\\u000a\\u001b[2Jb is\\u202e bad",
    "jwks-server: hint: move it\\u000ajwks-server: error: away",
  ]);
});
