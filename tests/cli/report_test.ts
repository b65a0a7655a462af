import assert from "node:assert/strict";
import {
  CommandError,
  EXIT,
  KeyUnreadableError,
  RequestError,
  StorageUnavailableError,
} from "../../lib/base/errors.ts";

Deno.test("RequestError carries its code, its sentence and the seconds to wait", () => {
  const error = new RequestError("overloaded", "Too busy", 3);
  assert.equal(error.code, "overloaded");
  assert.equal(error.message, "Too busy");
  assert.equal(error.retryAfter, 3);
  assert.equal(new RequestError("not_found", "Nothing").retryAfter, undefined);
});

Deno.test("StorageUnavailableError says the fault and nothing of its cause", () => {
  const cause = new Error("SQLITE_BUSY in /some/path");
  const error = new StorageUnavailableError("locked", { cause });
  assert.equal(error.fault, "locked");
  assert.equal(error.message, "The database is locked");
  assert.equal(error.cause, cause);
});

Deno.test("KeyUnreadableError names the key that is refused", () => {
  const error = new KeyUnreadableError(1234, "it was altered");
  assert.equal(error.kid, 1234);
  assert.match(error.message, /\b1234\b.*it was altered/);
});

Deno.test("CommandError carries its exit code and its hints", () => {
  const error = new CommandError(EXIT.config, "no secret", ["set one"]);
  assert.equal(error.exitCode, 78);
  assert.deepEqual(error.hints, ["set one"]);
  assert.deepEqual(new CommandError(EXIT.failed, "it failed").hints, []);
});

Deno.test("Errors are told apart by their name, as a log shows it", () => {
  const errors = [
    new RequestError("not_found", ""),
    new StorageUnavailableError("full"),
    new KeyUnreadableError(1, ""),
    new CommandError(EXIT.usage, ""),
  ];
  assert.deepEqual(errors.map((error) => error.name), [
    "RequestError",
    "StorageUnavailableError",
    "KeyUnreadableError",
    "CommandError",
  ]);
  assert.ok(errors.every((error) => error instanceof Error));
});
