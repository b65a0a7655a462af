import assert from "node:assert/strict";
import {
  DomainError,
  isDomainError,
  keyUnreadable,
  type StorageFault,
  storageUnavailable,
} from "../../lib/base/errors.ts";

Deno.test("DomainError carries its code, its sentence and its data", () => {
  const error = new DomainError("overloaded", "Too busy", { retryAfter: 3 });
  assert.equal(error.code, "overloaded");
  assert.equal(error.message, "Too busy");
  assert.deepEqual(error.data, { retryAfter: 3 });
  assert.deepEqual(new DomainError("not_found", "Nothing").data, {});
});

Deno.test("DomainError carries its hints and its cause, and has neither unless it is given them", () => {
  const cause = new Error("deep down");
  const error = new DomainError("configuration", "No secret", { hints: ["set one"], cause });
  assert.deepEqual(error.hints, ["set one"]);
  assert.equal(error.cause, cause);
  assert.deepEqual(error.data, {}, "hints and cause are no data");
  const bare = new DomainError("failed", "It failed");
  assert.deepEqual(bare.hints, []);
  assert.ok(!("cause" in bare));
});

Deno.test("DomainError says its name and is an Error, as a log shows it", () => {
  const errors = [
    new DomainError("not_found", "Nothing"),
    storageUnavailable("full"),
    keyUnreadable(1, "it was altered"),
  ];
  assert.deepEqual(errors.map(({ name }) => name), ["DomainError", "DomainError", "DomainError"]);
  assert.deepEqual(errors.map(({ code }) => code), [
    "not_found",
    "storage_unavailable",
    "key_unreadable",
  ]);
  assert.ok(errors.every((error) => error instanceof Error));
});

Deno.test("isDomainError() tells expected failures from all others, and one code from another", () => {
  const error = new DomainError("conflict", "Another was faster");
  assert.equal(isDomainError(error), true);
  assert.equal(isDomainError(error, "conflict"), true);
  assert.equal(isDomainError(error, "failed"), false);
  const lookalike = Object.assign(new Error("no"), { name: "DomainError", code: "conflict" });
  for (const other of [lookalike, new TypeError("no"), { code: "conflict" }, null, undefined]) {
    assert.equal(isDomainError(other), false);
    assert.equal(isDomainError(other, "conflict"), false);
  }
});

Deno.test("storageUnavailable() says the fault and nothing of its cause", () => {
  const cause = new Error("SQLITE_BUSY in /some/path");
  const error = storageUnavailable("locked", cause);
  assert.equal(error.data.fault, "locked");
  assert.equal(error.message, "The database is locked");
  assert.equal(error.cause, cause);
  assert.doesNotMatch([error.message, ...error.hints].join(), /SQLITE|path/);
});

Deno.test("storageUnavailable() tells an operator what to look at, whatever the fault", () => {
  const faults: StorageFault[] = ["locked", "full", "read-only", "damaged", "unreachable"];
  for (const fault of faults) {
    const { code, message, hints } = storageUnavailable(fault);
    assert.equal(code, "storage_unavailable");
    assert.ok(message.includes(fault));
    assert.ok(hints.length > 0);
  }
});

Deno.test("keyUnreadable() names the row that is refused, why, and what to do", () => {
  const cause = new Error("decryption failed");
  const error = keyUnreadable(1234, "it was altered", cause);
  assert.deepEqual(error.data, { row: "1234", reason: "it was altered" });
  assert.match(error.message, /\b1234\b.*it was altered/);
  assert.match(error.hints.join(), /restore a backup, or .*: jwks-server keys revoke 1234;/);
  assert.equal(error.cause, cause);
});

Deno.test("keyUnreadable() names a row whose number is larger than JavaScript's, digit by digit", () => {
  const { data, message } = keyUnreadable("9223372036854775807", "its kid is too large");
  assert.equal(data.row, "9223372036854775807");
  assert.match(message, /\b9223372036854775807\b/);
});
