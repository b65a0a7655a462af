import assert from "node:assert/strict";
import fc from "fast-check";
import { createLog, errorFields, LOG_LEVELS, type LogFields } from "../../lib/base/log.ts";
import { createTextFormat } from "../../lib/base/log_text.ts";

const NOON = Date.UTC(2026, 10, 22, 12);
const plain = createTextFormat({ isColoured: false });
const coloured = createTextFormat({ isColoured: true });

function write(message: string, fields: LogFields = {}, format = plain): string {
  return format({ time: NOON, level: "info", message, fields });
}

Deno.test("createTextFormat() writes time, level, message and fields on one line", () => {
  assert.equal(
    write("a key was made", { kid: "1", count: 2, isNext: true }),
    "2026-11-22 12:00:00Z INFO  a key was made kid=1 count=2 isNext=true",
  );
});

Deno.test("createTextFormat() quotes what could not be told from what follows", () => {
  const changes = ["TOKEN_TTL is 1h here and 2h there", "a"];
  const line = write("changed", { empty: "", spaced: "a b", equal: "a=b", quote: 'a"b', changes });
  assert.equal(
    line.slice(line.indexOf("empty")),
    `empty="" spaced="a b" equal="a=b" quote="a\\"b" changes=["TOKEN_TTL is 1h here and 2h there","a"]`,
  );
});

Deno.test("createTextFormat() keeps the messages of all levels below each other", () => {
  const lines: string[] = [];
  const log = createLog("debug", (line) => void lines.push(line), () => NOON, plain);
  for (const level of LOG_LEVELS) log[level]("message");
  assert.deepEqual(lines.map((line) => line.slice(21)), [
    "DEBUG message",
    "INFO  message",
    "WARN  message",
    "ERROR message",
  ]);
});

Deno.test("createTextFormat() shows where an error came from, a call a line below", () => {
  const error = new TypeError("it\nbroke");
  error.stack =
    "TypeError: it\nbroke\n    at one (file:///a.ts:1:2)\n    at two (file:///b.ts:3:4)";
  assert.deepEqual(write("failed", errorFields(error)).split("\n"), [
    '2026-11-22 12:00:00Z INFO  failed error="it\\nbroke" name=TypeError',
    "    at one (file:///a.ts:1:2)",
    "    at two (file:///b.ts:3:4)",
  ]);
});

Deno.test("createTextFormat() colours the level by how much it matters, and only where asked to", () => {
  const seen = LOG_LEVELS.map((level) =>
    coloured({ time: NOON, level, message: "m", fields: { kid: "1" } })
  );
  const levels = seen.map((line) => line.split("\x1b[").find((part) => /^\d+m[A-Z]/.test(part)));
  assert.equal(new Set(levels.map((part) => parseInt(part!))).size, 4);
  for (const line of seen) {
    assert.ok(line.endsWith("kid=\x1b[0m1"), "what a colour begins with ends with it");
    const bare = line.split("\x1b[").map((part) => part.replace(/^\d+m/, "")).join("");
    assert.match(bare, /^2026-11-22 12:00:00Z (DEBUG|INFO |WARN |ERROR) m kid=1$/);
  }
  assert.ok(!write("m", { kid: "1" }).includes("\x1b"));
});

/** What a terminal obeys instead of showing, and what turns text about. */
const OBEYED = /[\p{Cc}\p{Zl}\p{Zp}\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069\ufeff]/u;

Deno.test("createTextFormat() writes nothing that a terminal would obey, whatever is logged", () => {
  const evil = fc.array(
    fc.oneof(fc.constantFrom("\x1b[2J", "\n", "\r", "\u202e", "\x9b", "="), fc.string()),
  )
    .map((parts) => parts.join(""));
  const fields = fc.dictionary(evil, fc.oneof(evil, fc.array(evil), fc.integer(), fc.boolean()));
  fc.assert(
    fc.property(evil, fields, evil, (message, fields, call) => {
      const stack = `Error\n    at ${call}`;
      for (const line of write(message, { ...fields, stack }).split("\n")) {
        assert.doesNotMatch(line, OBEYED);
      }
    }),
  );
});
