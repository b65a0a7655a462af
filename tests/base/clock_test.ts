import assert from "node:assert/strict";
import fc from "fast-check";
import { isoTime, numericDate, parseTimestamp, timestamp } from "../../lib/base/clock.ts";

Deno.test("numericDate() gives the whole second that a millisecond belongs to", () => {
  assert.equal(numericDate(0), 0);
  assert.equal(numericDate(999), 0);
  assert.equal(numericDate(1000), 1);
  assert.equal(numericDate(1_893_456_000_999), 1_893_456_000);
});

Deno.test("numericDate() rounds down before the epoch, too", () => {
  assert.equal(numericDate(-1), -1);
});

Deno.test("isoTime() writes UTC as ISO 8601", () => {
  assert.equal(isoTime(0), "1970-01-01T00:00:00.000Z");
  assert.equal(isoTime(1_893_456_000), "2030-01-01T00:00:00.000Z");
});

Deno.test("isoTime() tells any number, also one beyond all dates, and never throws", () => {
  assert.equal(isoTime(8.64e12), "+275760-09-13T00:00:00.000Z");
  assert.equal(isoTime(-8.64e12), "-271821-04-20T00:00:00.000Z");
  assert.equal(isoTime(8.64e12 + 1), "8640000000001 s");
  assert.equal(isoTime(-8.64e12 - 1), "-8640000000001 s");
  for (const seconds of [Number.MAX_SAFE_INTEGER, Number.MAX_VALUE, Infinity, -Infinity, NaN]) {
    assert.equal(isoTime(seconds), `${seconds} s`);
  }
  fc.assert(fc.property(fc.double(), (seconds) => {
    assert.ok(isoTime(seconds).length > 0);
  }));
});

Deno.test("parseTimestamp() gives back the second that timestamp() wrote", () => {
  const times = fc.integer({ min: 0, max: Date.UTC(9999, 11, 31, 23, 59, 59, 999) });
  fc.assert(fc.property(times, (at) => {
    assert.equal(parseTimestamp(timestamp(at)), numericDate(at) * 1000);
  }));
  assert.equal(timestamp(Date.UTC(2030, 0, 2, 3, 4, 5, 999)), "2030-01-02 03:04:05");
});

Deno.test("parseTimestamp() refuses every other form", () => {
  const refused = [
    "",
    "now",
    "2030-01-02",
    "2030-01-02T03:04:05",
    "2030-01-02 03:04:05Z",
    "2030-01-02 03:04:05.000",
    "2030-01-02 03:04:05+01:00",
    "2030-01-02  03:04:05",
    "2030-1-2 3:4:5",
    " 2030-01-02 03:04:05",
    "2030-01-02 03:04:05 ",
    "2030-01-02 03:04:05\n",
    "02/01/2030 03:04:05",
    "1893553445",
    "+12030-01-02 03:04:05",
    "٢٠٣٠-٠١-٠٢ ٠٣:٠٤:٠٥",
  ];
  for (const text of refused) assert.equal(parseTimestamp(text), undefined, JSON.stringify(text));
});

Deno.test("parseTimestamp() refuses a time that no day has", () => {
  for (
    const text of [
      "2030-13-01 00:00:00",
      "2030-00-01 00:00:00",
      "2030-01-00 00:00:00",
      "2030-01-32 00:00:00",
      "2030-01-01 24:00:01",
      "2030-01-01 00:60:00",
      "2030-01-01 00:00:60",
    ]
  ) assert.equal(parseTimestamp(text), undefined, text);
});

Deno.test("parseTimestamp() refuses a day that its month does not have, and an hour that is the next day's", () => {
  for (
    const text of ["2030-02-29 00:00:00", "2030-02-30 00:00:00", "2030-04-31 00:00:00"]
  ) assert.equal(parseTimestamp(text), undefined, text);
  assert.equal(parseTimestamp("2030-01-01 24:00:00"), undefined);
  assert.equal(parseTimestamp("2028-02-29 00:00:00"), Date.UTC(2028, 1, 29));
});
