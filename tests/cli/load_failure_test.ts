import assert from "node:assert/strict";
import { DomainError } from "../../lib/base/errors.ts";
import { exitCodeOf } from "../../lib/cli/report.ts";
import { explainLoadFailure, reportLoadFailure } from "../../lib/cli/load_failure.ts";
import { capture } from "./captured.ts";

/** An error as the addon's loader throws it, with what each attempt failed of. */
function bindingError(attempts: readonly string[]): Error {
  const cause = attempts.reduce<Error | null>(
    (cause, message) => Object.assign(new Error(message), { cause }),
    null,
  );
  return Object.assign(
    new Error("Cannot find native binding. npm has a bug related to optional dependencies"),
    { cause },
  );
}

const NOT_THERE = "Cannot find module './argon2.linux-x64-gnu.node'\nRequire stack:\n- index.js";
const NOEXEC = "/tmp/a.node: failed to map segment from shared object";

Deno.test("reportLoadFailure() says in three lines why Argon2 is not loaded and what to do, and is 78", async () => {
  const error = bindingError([NOT_THERE, NOEXEC, NOT_THERE]);
  let exitCode = 0;
  const { stdout, stderr } = await capture(() => {
    exitCode = reportLoadFailure(error);
    return Promise.resolve();
  });
  assert.equal(exitCode, 78);
  assert.equal(stdout, "");
  const [first, ...hints] = stderr.trimEnd().split("\n");
  assert.equal(first, `jwks-server: error: the native Argon2 cannot be loaded: ${NOEXEC}`);
  assert.equal(hints.length, 2);
  assert.match(hints[0]!, /^jwks-server: hint: TMPDIR .*\/tmp.* writable .*noexec/);
  assert.match(hints[1]!, /^jwks-server: hint: .*glibc.*musl/);
});

Deno.test("explainLoadFailure() gives no reason where no attempt says one", () => {
  for (const error of [bindingError([NOT_THERE]), new Error("Failed to load native binding")]) {
    const explained = explainLoadFailure(error);
    assert.ok(explained instanceof DomainError);
    assert.equal(explained.message, "The native Argon2 cannot be loaded");
    assert.equal(exitCodeOf(explained), 78);
  }
});

Deno.test("explainLoadFailure() leaves every other error as it is", () => {
  for (const error of [new TypeError("x is not a function"), "text", undefined]) {
    assert.equal(explainLoadFailure(error), error);
  }
});
