import assert from "node:assert/strict";
import fc from "fast-check";
import { answerInWords } from "../../../lib/http/page/browser/answers.js";
import { decodeToken, tamperedToken } from "../../../lib/http/page/browser/token.js";
import {
  distanceInWords,
  lengthInWords,
  momentInWords,
} from "../../../lib/http/page/browser/words.js";
import { base64url } from "../../tokens/signed.ts";

Deno.test("lengthInWords() takes the largest unit of which there are two", () => {
  const cases: [number, string][] = [
    [-1, "0 seconds"],
    [0, "0 seconds"],
    [1, "1 second"],
    [119, "119 seconds"],
    [120, "2 minutes"],
    [3600, "60 minutes"],
    [7199, "120 minutes"],
    [7200, "2 hours"],
    [172_800, "2 days"],
    [30 * 86_400 - 1, "30 days"],
    [2 * 31_536_000, "2 years"],
  ];
  for (const [seconds, words] of cases) assert.equal(lengthInWords(seconds), words);
});

Deno.test("distanceInWords() and momentInWords() tell before from after, and bear any number", () => {
  assert.equal(distanceInWords(300, 0), "in 5 minutes");
  assert.equal(distanceInWords(0, 300), "5 minutes ago");
  assert.equal(distanceInWords(7, 7), "now");
  assert.equal(momentInWords(Date.UTC(2026, 11, 22, 10, 15, 59) / 1000), "2026-12-22 10:15 UTC");
  assert.equal(momentInWords(9e12), "9000000000000 s");
});

Deno.test("answerInWords() has plain words for each refusal that a reader may meet", () => {
  const body = { error: "code", error_description: "No key can sign just now" };
  assert.equal(answerInWords(401, body, null), "The username or the password is wrong.");
  assert.match(answerInWords(409, body, null), /registered already/);
  assert.match(
    answerInWords(429, body, "7"),
    /Too many requests from your address: try again in 7 s/,
  );
  assert.match(answerInWords(503, body, "1"), /\(No key can sign just now\): try again in 1 s/);
  assert.match(answerInWords(503, body, "Fri, 01 Jan 2027 00:00:00 GMT"), /try again later/);
  assert.match(answerInWords(403, body, null), /not allowed here: No key can sign just now\./);
  assert.equal(
    answerInWords(400, body, null),
    "The server refused this: No key can sign just now.",
  );
  assert.equal(answerInWords(418, {}, null), "The server refused this: status 418.");
});

Deno.test("tamperedToken() changes the subject alone, and to another each time", () => {
  const members = fc.dictionary(fc.string(), fc.jsonValue());
  fc.assert(fc.property(members, fc.string(), (claims, sub) => {
    const token = `e30.${base64url(JSON.stringify({ ...claims, sub }))}.AAAA`;
    const once = decodeToken(tamperedToken(token));
    const before = decodeToken(token);
    assert.notEqual(once.claims.sub, before.claims.sub);
    assert.deepEqual({ ...once.claims, sub: 0 }, { ...before.claims, sub: 0 });
    assert.deepEqual(once.signature, before.signature);
    const twice = decodeToken(tamperedToken(tamperedToken(token)));
    assert.notEqual(twice.claims.sub, once.claims.sub);
  }));
});
