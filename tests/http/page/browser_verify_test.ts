import assert from "node:assert/strict";
import { tamperedToken } from "../../../lib/http/page/browser/token.js";
import { verdictInWords, verifyToken } from "../../../lib/http/page/browser/verify.js";
import {
  ALGORITHM_NAMES,
  SIGNING_ALGORITHMS,
  type SigningAlgorithm,
} from "../../../lib/keys/algorithms.ts";
import { generatePrivateJwk, importSigningKey } from "../../../lib/keys/signing_key.ts";
import { pregeneratedKey } from "../../support.ts";
import { base64url, type Members } from "../../tokens/signed.ts";

const NOW = 1_900_000_000;
const ISSUER = "https://issuer.example";
const CLAIMS = { iss: ISSUER, aud: ISSUER, sub: "alice", iat: NOW - 60, exp: NOW + 3600 };

async function makeSigner(alg: SigningAlgorithm, kid: string = alg) {
  // One RSA key serves all algorithms: they are slow to make.
  const isRsa = SIGNING_ALGORITHMS[alg].kty === "RSA";
  const jwk = await (isRsa ? pregeneratedKey("RS256") : generatePrivateJwk(alg));
  const key = await importSigningKey({ ...jwk, alg, kid });
  const encode = (claims: Members) => new TextEncoder().encode(JSON.stringify(claims));
  return {
    publicJwk: key.publicJwk,
    token: (claims: Members = {}, header: Members = {}) =>
      key.sign({ alg, kid, typ: "JWT", ...header }, encode({ ...CLAIMS, ...claims })),
  };
}

const signer = await makeSigner("ES256");
const other = await makeSigner("ES256");

/** What the page says of a token, against the key of `signer` unless told. */
async function verify(token: string, expected: Partial<Parameters<typeof verifyToken>[1]> = {}) {
  const keys = [signer.publicJwk];
  const verification = await verifyToken(token, {
    keys,
    issuer: ISSUER,
    audience: ISSUER,
    now: NOW,
    subtle: crypto.subtle,
    ...expected,
  });
  const { verdict, checks } = verification;
  const failing = checks.filter(({ ok }) => ok === false).map(({ what }) => what);
  return { verdict, failing, checks, words: verdictInWords(verification) };
}

Deno.test("verifyToken() verifies what every algorithm signs, and refuses it once it is changed", async () => {
  for (const alg of ALGORITHM_NAMES) {
    const { publicJwk, token } = await makeSigner(alg);
    const good = await token();
    const keys = [other.publicJwk, publicJwk].slice(alg === "ES256" ? 1 : 0);
    const valid = await verify(good, { keys });
    assert.deepEqual([valid.verdict, valid.failing], ["valid", []], alg);
    assert.match(valid.words, /^Valid: /);
    const changed = await verify(tamperedToken(good), { keys });
    assert.deepEqual([changed.verdict, changed.failing], ["refused", ["Signature"]], alg);
    assert.match(changed.words, /^Refused: its signature does not fit: it was tampered with/);
  }
});

Deno.test("verifyToken() says each reason of a refusal, and all of them at once", async () => {
  const hs256 = `${base64url('{"alg":"HS256","kid":"ES256"}')}.${base64url("{}")}.AAAA`;
  const none = `${base64url('{"alg":"none"}')}.${base64url(JSON.stringify(CLAIMS))}.`;
  const [, payload, signature] = (await signer.token()).split(".");
  const es384 = `${base64url('{"alg":"ES384","kid":"ES256"}')}.${payload}.${signature}`;
  const cases: [token: string, failing: string[], words: RegExp][] = [
    [await signer.token({ exp: NOW }), ["Expiry"], /^Refused: it has expired\.$/],
    [await signer.token({ exp: undefined }), ["Expiry"], /^Refused: it has no expiry\.$/],
    [await signer.token({ exp: "later" }), ["Expiry"], /no expiry/],
    [await signer.token({ nbf: NOW + 1 }), ["Start"], /^Refused: it is not valid yet\.$/],
    [await signer.token({ nbf: "now" }), ["Start"], /not valid yet/],
    [await signer.token({ iss: `${ISSUER}/` }), ["Issuer"], /^Refused: its issuer is another\.$/],
    [await signer.token({ aud: ["a", "b"] }), ["Audience"], /^Refused: its audience is another\.$/],
    [await signer.token({ aud: undefined }), ["Audience"], /audience/],
    [await signer.token({}, { kid: "other" }), ["Key"], /^Refused: its key is not published\.$/],
    [await signer.token({}, { kid: undefined }), ["Key"], /^Refused: it names no key\.$/],
    [es384, ["Algorithm"], /algorithm is not the key's\.$/],
    [await other.token(), ["Signature"], /its signature does not fit/],
    [
      await other.token({ exp: 1, iss: "x" }, { kid: "z" }),
      ["Key", "Expiry", "Issuer"],
      /^Refused: its key is not published; it has expired; its issuer is another\.$/,
    ],
    [hs256, ["Algorithm", "Expiry", "Issuer", "Audience"], /not one of public keys/],
    [none, ["Key", "Algorithm"], /names no key; its algorithm is not one of public keys/],
  ];
  for (const [token, failing, words] of cases) {
    const said = await verify(token);
    assert.equal(said.verdict, "refused", token);
    assert.deepEqual(said.failing, failing, said.words);
    assert.match(said.words, words);
  }
});

Deno.test("verifyToken() takes one audience of several, and a start that is over", async () => {
  const { verdict } = await verify(await signer.token({ aud: ["x", ISSUER], nbf: NOW }));
  assert.equal(verdict, "valid");
});

Deno.test("verifyToken() says of what is no token why it is none", async () => {
  const object = base64url("{}");
  const cases: [token: string, says: RegExp][] = [
    ["", /this has 1\./],
    ["a.b", /this has 2\./],
    [`${object}.${object}.AA.AA`, /this has 4\./],
    [`${object}=.${object}.AAAA`, /header is not base64url/],
    [`${object}.${object}.A`, /signature is not base64url/],
    [`${object}.a b.AAAA`, /payload is not base64url/],
    [`${base64url("{")}.${object}.AAAA`, /header is not JSON\./],
    [`${base64url(new Uint8Array([0x22, 0xff, 0x22]))}.${object}.AAAA`, /header is not JSON\./],
    [`${base64url('{"crit":["b64"]}')}.${object}.AAAA`, /extension/],
    [`${object}.${base64url("[1]")}.AAAA`, /payload is not a JSON object/],
    [`${object}.${base64url("null")}.AAAA`, /payload is not a JSON object/],
  ];
  for (const [token, says] of cases) {
    const { verdict, checks, words } = await verify(token);
    assert.equal(verdict, "refused", token);
    assert.match(checks[0]!.says, says);
    assert.equal(words, "Refused: it is not a token.");
  }
});

Deno.test("verifyToken() does not refuse what the browser cannot verify, nor call it valid", async () => {
  const token = await signer.token();
  const unsupported = () => Promise.reject(new DOMException("no", "NotSupportedError"));
  const without = await verify(token, { subtle: { importKey: unsupported } as never });
  assert.equal(without.verdict, "unknown");
  assert.equal(without.words, "Not verified: this browser has no ES256.");
  const insecure = await verify(token, { subtle: undefined });
  assert.equal(insecure.verdict, "unknown");
  assert.match(insecure.words, /^Not verified: this page did not come from https or localhost\.$/);
  const expired = await verify(await signer.token({ exp: 1 }), { subtle: undefined });
  assert.equal(expired.verdict, "refused");
});

Deno.test("verifyToken() refuses by a published key that is none, or of another type than its algorithm's", async () => {
  const token = await signer.token();
  const { publicJwk } = signer;
  for (const broken of [{ x: "AA" }, { kty: "RSA" }, { crv: "P-384" }]) {
    const { failing } = await verify(token, { keys: [{ ...publicJwk, ...broken }] });
    assert.deepEqual(failing, ["Signature"], JSON.stringify(broken));
  }
});
