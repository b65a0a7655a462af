import assert from "node:assert/strict";
import fc from "fast-check";
import { formatDuration, parseDuration } from "../../lib/base/duration.ts";

Deno.test("parseDuration() gives seconds for every unit", () => {
  const units = { s: 1, m: 60, h: 3600, d: 86_400, w: 604_800, y: 31_536_000 };
  for (const [unit, seconds] of Object.entries(units)) {
    assert.equal(parseDuration(`1${unit}`), seconds);
    assert.equal(parseDuration(`45${unit}`), 45 * seconds);
  }
});

Deno.test("parseDuration() refuses what is not a whole number with one unit", () => {
  const refused = ["", "s", "1", "-1s", "+1s", "1.5h", "1 h", " 1h", "1h ", "1H", "1h30m", "0x1s"];
  for (const text of [...refused, "1e3s", "1ms", "٣s", "1h\n", "1234567890s", "Infinitys"]) {
    assert.equal(parseDuration(text), undefined, JSON.stringify(text));
  }
});

Deno.test("parseDuration() gives back what formatDuration() wrote", () => {
  fc.assert(fc.property(fc.nat(999_999_999), (seconds) => {
    assert.equal(parseDuration(formatDuration(seconds)), seconds);
  }));
});

Deno.test("formatDuration() takes the largest unit that divides", () => {
  assert.equal(formatDuration(0), "0s");
  assert.equal(formatDuration(59), "59s");
  assert.equal(formatDuration(60), "1m");
  assert.equal(formatDuration(90), "90s");
  assert.equal(formatDuration(3600), "1h");
  assert.equal(formatDuration(30 * 86_400), "30d");
});
