import assert from "node:assert/strict";
import { numericDate } from "../../lib/base/clock.ts";

Deno.test("numericDate() gives the whole second that a millisecond belongs to", () => {
  assert.equal(numericDate(0), 0);
  assert.equal(numericDate(999), 0);
  assert.equal(numericDate(1000), 1);
  assert.equal(numericDate(1_893_456_000_999), 1_893_456_000);
});

Deno.test("numericDate() rounds down before the epoch, too", () => {
  assert.equal(numericDate(-1), -1);
});
