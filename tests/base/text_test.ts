import assert from "node:assert/strict";
import fc from "fast-check";
import { lowerFirst, printable, printableJson } from "../../lib/base/text.ts";

/** Every character from one code to another. */
function range(first: number, last: number): string[] {
  return Array.from({ length: last - first + 1 }, (_, i) => String.fromCharCode(first + i));
}

/** What a terminal obeys, what begins a line, and what turns text about. */
const UNSAFE = [
  ...range(0x00, 0x1f),
  ...range(0x7f, 0x9f),
  ...range(0x2028, 0x202e),
  ...range(0x2066, 0x2069),
  ...range(0xfff9, 0xfffb),
  ...["\u061c", "\u200e", "\u200f", "\ufeff"],
];

/** Texts in which those are as frequent as any other character. */
const texts = fc.array(fc.oneof(fc.constantFrom(...UNSAFE), fc.string({ unit: "grapheme" })))
  .map((list) => list.join(""));

function escaped(character: string): string {
  return `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`;
}

/** `text` with every unsafe character in it named. */
function unsafeIn(text: string): string[] {
  return UNSAFE.filter((character) => text.includes(character)).map(escaped);
}

Deno.test("printable() shows each control character, line separator and direction mark as its code", () => {
  for (const character of UNSAFE) {
    assert.equal(printable(`a${character}b`), `a${escaped(character)}b`);
    assert.equal(printable(`${character}${character}`), escaped(character).repeat(2));
  }
});

Deno.test("printable() leaves nothing that a terminal obeys, whatever the text", () => {
  fc.assert(fc.property(texts, (text) => {
    assert.deepEqual(unsafeIn(printable(text)), []);
  }));
});

Deno.test("printable() makes no second line and no sequence for the terminal", () => {
  const attacks = {
    "a\r\njwks-server: error: b": "a\\u000d\\u000ajwks-server: error: b",
    "\x1b[2J\x1b]0;title\x07": "\\u001b[2J\\u001b]0;title\\u0007",
    "\x9b31m": "\\u009b31m",
    "a\u0085b\u2028c\u2029d": "a\\u0085b\\u2028c\\u2029d",
    "safe\u202etxt.exe": "safe\\u202etxt.exe",
    "\u2067a\u2069": "\\u2067a\\u2069",
  };
  for (const [text, shown] of Object.entries(attacks)) assert.equal(printable(text), shown);
});

Deno.test("printable() leaves every other text as it is, in any script", () => {
  for (const text of ["", "plain ~ text", "Zoë", "名前", "имя", "שם", "اسم", "🔑👩‍👩‍👧", "a\\u001b"]) {
    assert.equal(printable(text), text);
  }
});

Deno.test("printableJson() says the same as JSON, and stays readable as JSON", () => {
  fc.assert(fc.property(fc.dictionary(texts, fc.oneof(texts, fc.array(texts))), (value) => {
    for (const indent of [undefined, 2]) {
      const text = printableJson(value, indent);
      assert.deepEqual(JSON.parse(text), JSON.parse(JSON.stringify(value)));
      assert.deepEqual(unsafeIn(text).filter((code) => code !== "\\u000a"), []);
    }
  }));
});

Deno.test("printableJson() has only the line breaks of its own indentation", () => {
  const value = { name: "a\nb\u2028c\u0085d", list: ["\r\n"] };
  assert.doesNotMatch(printableJson(value), /[\r\n\u0085\u2028\u2029]/);
  assert.equal(
    printableJson(value, 2).split("\n").length,
    JSON.stringify(value, null, 2).split("\n").length,
  );
  assert.equal(printableJson({ a: 1 }, 2), '{\n  "a": 1\n}');
  assert.equal(printableJson("\u202e"), '"\\u202e"');
});

Deno.test("lowerFirst() makes the first letter of a sentence small, and of that one alone", () => {
  assert.equal(lowerFirst("The database is locked"), "the database is locked");
  assert.equal(lowerFirst("The Key"), "the Key");
  assert.equal(lowerFirst("A key"), "a key");
  assert.equal(lowerFirst("already small"), "already small");
});

Deno.test("lowerFirst() leaves names, abbreviations and everything but letters alone", () => {
  const alike = ["PORT is no number", "NOT_MY_KEY", "RSA keys", "ES256", "JWKS", "", '"Quoted"'];
  for (const text of [...alike, "8080 is taken", "A", "/tmp", "Ärger"]) {
    assert.equal(lowerFirst(text), text);
  }
});
