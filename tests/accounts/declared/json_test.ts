import assert from "node:assert/strict";
import fc from "fast-check";
import { parseDeclarationJson } from "../../../lib/accounts/declared/json.ts";

function messagesOf(text: string): string[] {
  return parseDeclarationJson(text).problems.map(({ message }) => message);
}

Deno.test("parseDeclarationJson() tells where a text is no JSON, whatever is wrong there", () => {
  const cases: [text: string, place: string][] = [
    ['{"clients":[{"username":"x"},]}', "line 1, column 30"],
    ["", "line 1, column 1"],
    ['{"clients":\n  nope}', "line 2, column 3"],
    ['{\n"clients": [] // none\n}', "line 2, column 15"],
    ['{"clients":[', "line 1, column 13"],
    ["[".repeat(20), "line 1, column 21"],
  ];
  for (const [text, place] of cases) {
    assert.deepEqual(messagesOf(text), [`is not JSON (${place})`], text);
  }
  assert.deepEqual(messagesOf("[".repeat(100_000)), ["is nested too deeply"]);
});

Deno.test("parseDeclarationJson() takes what is JSON, and tells the place of what is not", () => {
  const valid = '{"a": [1, -2.5e3, true, null, "\\u0041\\n"], "b": {}}';
  const pieces = [...'{}[]:,"\\-+.e0 1\n\t/*\u0000\ufeff\u00a0\v'].map((piece) =>
    fc.constant(piece)
  );
  const place = fc.nat({ max: valid.length });
  fc.assert(
    fc.property(place, fc.nat({ max: 3 }), fc.oneof(...pieces), (at, length, piece) => {
      const text = valid.slice(0, at) + piece + valid.slice(at + length);
      const { value, problems } = parseDeclarationJson(text);
      let expected: unknown;
      try {
        expected = JSON.parse(text);
      } catch {
        return assert.match(problems[0]!.message, /^is not JSON \(line [12], column \d+\)$/);
      }
      assert.deepEqual(value, expected);
    }),
    { numRuns: 2000 },
  );
});
