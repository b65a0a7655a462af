import assert from "node:assert/strict";
import { DatabaseError } from "pg";
import { DomainError, isDomainError } from "../../../lib/base/errors.ts";
import { DeadlineExceeded } from "../../../lib/storage/postgres/deadline.ts";
import {
  classify,
  CommitUnknown,
  ConnectionFailed,
  ConnectionLost,
  hasDoneNothing,
  isLost,
  sqlState,
} from "../../../lib/storage/postgres/faults.ts";

/** An error as the server sends it. */
function sent(code: string, severity = "ERROR"): DatabaseError {
  return Object.assign(new DatabaseError("Words", 5, "error"), { code, severity });
}

function faultOf(error: unknown): string | undefined {
  const failure = classify(error);
  return isDomainError(failure, "storage_unavailable") ? failure.data.fault : undefined;
}

const FAULTS = {
  "read-only": ["25006"],
  full: ["53100"],
  locked: ["40001", "40P01", "55006", "55P03", "57014"],
  damaged: ["58P01", "XX001", "XX002"],
  altered: ["3F000", "42501", "42703", "42804", "42883", "42P01", "42P10", "P0001"],
  unreachable: ["08006", "25P03", "28P01", "28000", "3D000", "53200", "53300", "57P01", "57P03"],
};

Deno.test("classify() goes by the SQLSTATE, and keeps what was sent as the cause", () => {
  for (const [fault, states] of Object.entries(FAULTS)) {
    for (const state of states) {
      const error = sent(state);
      assert.equal(faultOf(error), fault, state);
      assert.equal(faultOf(new ConnectionFailed(error)), fault, state);
      assert.equal(sqlState(classify(error)), state);
    }
  }
});

Deno.test("classify() leaves an error that says already which database failed", () => {
  const named = new DomainError("failed", "The other database is gone", { cause: sent("57P01") });
  assert.equal(classify(named), named);
});

Deno.test("classify() leaves what is a matter of the statement, or of the program, as it is", () => {
  for (const error of [sent("23505"), sent("23503"), sent("42601"), new TypeError("x"), "text"]) {
    assert.equal(classify(error), error);
  }
});

Deno.test("classify() takes a server for unreachable that has sent no word", () => {
  const reset = Object.assign(new Error("reset"), { code: "ECONNRESET" });
  for (const error of [new ConnectionFailed(reset), new ConnectionLost(reset), unknown(reset)]) {
    assert.equal(faultOf(error), "unreachable", error.name);
  }
  assert.equal(faultOf(new DeadlineExceeded(5)), "unreachable");
});

Deno.test("only the server's own word is taken for it that nothing was done", () => {
  for (const state of ["40001", "40P01"]) assert.ok(hasDoneNothing(sent(state)), state);
  assert.ok(hasDoneNothing(sent("57P01", "FATAL")));
  const others = [
    sent("57P02", "FATAL"),
    sent("08006"),
    sent("57014"),
    new ConnectionLost(sent("57P01", "FATAL")),
    unknown(sent("57P01", "FATAL")),
    new DeadlineExceeded(5),
    Object.assign(new Error("not the server's"), { code: "40001" }),
  ];
  for (const error of others) assert.ok(!hasDoneNothing(error), Deno.inspect(error));
});

Deno.test("a connection is lost by the server's last word as much as without one", () => {
  assert.ok(isLost(sent("57P05", "FATAL")));
  assert.ok(isLost(sent("XX000", "PANIC")));
  assert.ok(isLost(new ConnectionLost(new Error("reset"))));
  for (const error of [sent("40001"), new ConnectionFailed(sent("28P01", "FATAL"))]) {
    assert.ok(!isLost(error), Deno.inspect(error));
  }
});

/** A commit that ended with this. */
function unknown(cause: unknown): CommitUnknown {
  return new CommitUnknown({ number: "1", result: undefined }, cause);
}
