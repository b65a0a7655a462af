import assert from "node:assert/strict";
import { createHmac } from "node:crypto";
import { CompactSign, exportJWK, generateKeyPair } from "jose";
import { ALGORITHM_NAMES } from "../../lib/keys/algorithms.ts";
import { isSupported } from "../../lib/keys/signing_key.ts";
import { importVerificationKey } from "../../lib/tokens/verification_key.ts";
import { CLOCK_SKEW, verifyJwt, verifySignature } from "../../lib/tokens/verifier.ts";
import { FakeClock } from "../support.ts";
import { base64url, claimTime, makeClientKey, reasonOf, sign } from "./signed.ts";

const time = new FakeClock();
const key = await makeClientKey("one");
const keys = [key.verification];
const HEADER = { alg: "ES256", kid: "one" };

/** Why a token with this header and these claims, signed by `key`, is refused. */
async function refusal(header: object | string, claims: object | string = {}, known = keys) {
  const token = await sign(header as string, claims as string, key);
  return await reasonOf(() => verifyJwt(token, known, { clock: time.clock }), token);
}

Deno.test("verifyJwt() gives the header and the claims when the key and the time are right", async () => {
  const claims = { sub: "a", exp: claimTime(time, 1), iat: claimTime(time), other: [1] };
  const token = await sign({ ...HEADER, typ: "JWT" }, claims, key);
  const verified = await verifyJwt(token, keys, { clock: time.clock });
  assert.deepEqual(verified.claims, claims);
  assert.deepEqual(verified.header, { ...HEADER, typ: "JWT", algorithm: "ES256" });
});

Deno.test("verifySignature() takes every algorithm that keys are made for", async () => {
  for (const alg of ALGORITHM_NAMES.filter((name) => !/^[RP]S(384|512)$/.test(name))) {
    if (!await isSupported(alg)) continue;
    const { privateKey, publicKey } = await generateKeyPair(alg);
    const known = await importVerificationKey({ ...await exportJWK(publicKey), alg });
    assert.equal(known.alg, alg);
    const token = await new CompactSign(new Uint8Array([1])).setProtectedHeader({ alg })
      .sign(privateKey);
    assert.deepEqual([...(await verifySignature(token, [known])).payload], [1]);
  }
});

Deno.test("verifySignature() takes Ed25519 for EdDSA, in header and key (RFC 9864 §2.2)", async () => {
  const { privateKey, publicKey } = await generateKeyPair("EdDSA");
  const known = await importVerificationKey({ ...await exportJWK(publicKey), alg: "Ed25519" });
  assert.equal(known.alg, "EdDSA");
  for (const alg of ["EdDSA", "Ed25519"]) {
    const token = await new CompactSign(new Uint8Array(1)).setProtectedHeader({ alg })
      .sign(privateKey);
    assert.equal((await verifySignature(token, [known])).header.algorithm, "EdDSA");
  }
});

Deno.test("verifyJwt() refuses a changed header, payload or signature", async () => {
  const token = await sign(HEADER, { sub: "a" }, key);
  const [, payload, signature] = token.split(".");
  const other = await sign({ ...HEADER, typ: "JWT" }, { sub: "b" }, key);
  const [otherHeader, otherPayload, otherSignature] = other.split(".");
  for (
    const changed of [
      [otherHeader, payload, signature],
      [token.split(".")[0], otherPayload, signature],
      [token.split(".")[0], payload, otherSignature],
      [token.split(".")[0], payload, base64url(new Uint8Array(64))],
      [token.split(".")[0], payload, "AAAA"],
    ]
  ) {
    const work = () => verifyJwt(changed.join("."), keys, { clock: time.clock });
    assert.equal(await reasonOf(work), "signature");
  }
});

Deno.test("verifyJwt() never uses a key from the header (RFC 7515 §4.1.2 to §4.1.6)", async () => {
  const stranger = await makeClientKey("one");
  for (const more of [{ jwk: stranger.jwk }, { jku: "https://x.example" }, { x5c: ["AAAA"] }]) {
    const token = await sign({ ...HEADER, ...more }, {}, stranger);
    const work = () => verifyJwt(token, keys, { clock: time.clock });
    assert.equal(await reasonOf(work), "signature");
  }
});

Deno.test("verifyJwt() refuses none, symmetric and unknown algorithms, in whatever case", async () => {
  for (const alg of ["none", "None", "NONE", "HS256", "HS512", "ES256K", "es256", "RSA1_5", ""]) {
    assert.equal(await refusal({ ...HEADER, alg }), "algorithm", alg);
  }
});

Deno.test("verifyJwt() refuses a MAC made with the public key", async () => {
  const input = `${base64url(JSON.stringify({ ...HEADER, alg: "HS256" }))}.${base64url("{}")}`;
  for (const secret of [JSON.stringify(key.jwk), key.jwk.x!]) {
    const mac = createHmac("sha256", secret).update(input).digest("base64url");
    const work = () => verifyJwt(`${input}.${mac}`, keys, { clock: time.clock });
    assert.equal(await reasonOf(work), "algorithm");
  }
});

Deno.test("verifyJwt() refuses an algorithm that is not the key's, though the key could", async () => {
  const { privateKey, publicKey } = await generateKeyPair("PS256");
  const jwk = await exportJWK(publicKey);
  const token = await new CompactSign(new TextEncoder().encode("{}"))
    .setProtectedHeader({ alg: "PS256" }).sign(privateKey);
  const fitting = [await importVerificationKey({ ...jwk, alg: "PS256" })];
  await verifyJwt(token, fitting, { clock: time.clock });
  const usual = [await importVerificationKey(jwk)];
  assert.equal(usual[0]!.alg, "RS256");
  const work = () => verifyJwt(token, usual, { clock: time.clock });
  assert.equal(await reasonOf(work), "algorithm");
});

Deno.test("verifyJwt() refuses extensions that must be understood (RFC 7515 §4.1.11, RFC 7797)", async () => {
  for (
    const more of [{ crit: ["exp"], exp: 1 }, { crit: [] }, { crit: ["b64"], b64: false }, {
      b64: false,
    }, { crit: ["b64"], b64: true }]
  ) {
    assert.equal(await refusal({ ...HEADER, ...more }), "malformed", JSON.stringify(more));
  }
});

Deno.test("verifyJwt() refuses what is not in compact form, or not in the one base64url", async () => {
  const token = await sign(HEADER, {}, key);
  const [header, payload, signature] = token.split(".") as [string, string, string];
  const last = signature.at(-1)!;
  const sameBytes = signature.slice(0, -1) + { A: "B", Q: "R", g: "h", w: "x" }[last];
  for (
    const text of [
      "",
      "..",
      header,
      `${header}.${payload}`,
      `${header}.${payload}.`,
      `.${payload}.${signature}`,
      `${token}.`,
      `${token}.${signature}.a.b`,
      ` ${token}`,
      `${token}\n`,
      `${token}==`,
      `${header}.${payload}.${sameBytes}`,
      `${header}=.${payload}.${signature}`,
    ]
  ) {
    const work = () => verifyJwt(text, keys, { clock: time.clock });
    assert.equal(await reasonOf(work, text), "malformed", text);
  }
});

Deno.test("verifyJwt() refuses a header or payload that is no JSON object, or is with wrong types", async () => {
  for (const header of ["[]", "null", '"a"', "{", "", "\xff", '{"kid":"one"}', '{"alg":1}']) {
    assert.equal(await refusal(header), "malformed", header);
  }
  for (const more of [{ kid: 1 }, { kid: null }, { typ: ["JWT"] }]) {
    assert.equal(await refusal({ ...HEADER, ...more }), "malformed");
  }
  for (const payload of ["[]", "null", '"a"', "1", "{", ""]) {
    assert.equal(await refusal(HEADER, payload), "malformed", payload);
  }
  for (const payload of ['{"exp":"1"}', '{"nbf":null}', '{"iat":[]}', '{"exp":1e400}']) {
    assert.equal(await refusal(HEADER, payload), "claims", payload);
  }
});

Deno.test("verifyJwt() refuses a token of more than 16 KiB, and reads nothing of it", async () => {
  const padded = (length: number) => sign(HEADER, { pad: "x".repeat(length) }, key);
  const limit = 16 * 1024;
  const overhead = (await padded(0)).length;
  const most = Math.floor((limit - overhead) * 3 / 4);
  const fitting = await padded(most);
  assert.ok(fitting.length <= limit && fitting.length > limit - 4);
  await verifyJwt(fitting, keys, { clock: time.clock });
  const long = await padded(most + 3);
  assert.equal(await reasonOf(() => verifyJwt(long, [], { clock: time.clock })), "malformed");
});

Deno.test("verifyJwt() tries only the key with the token's kid", async () => {
  const other = await makeClientKey("two");
  const token = await sign({ ...HEADER, kid: "two" }, {}, key);
  const options = { clock: time.clock };
  const both = [key.verification, other.verification];
  assert.equal(await reasonOf(() => verifyJwt(token, both, options)), "signature");
  assert.equal(await refusal({ ...HEADER, kid: "three" }), "unknown_key");
  assert.equal(await refusal({ ...HEADER, kid: "" }), "unknown_key");
  const nameless = { ...key.verification, kid: undefined };
  assert.equal(await refusal(HEADER, {}, [nameless]), "unknown_key");
  assert.equal(await refusal({ alg: "ES256" }, {}, []), "unknown_key");
});

Deno.test("verifyJwt() refuses a kid that several keys of the algorithm have", async () => {
  const other = await makeClientKey("one");
  assert.equal(await refusal(HEADER, {}, [key.verification, other.verification]), "unknown_key");
  const ofAnotherType = { ...other.verification, alg: "EdDSA" as const };
  const token = await sign(HEADER, {}, key);
  await verifyJwt(token, [ofAnotherType, key.verification], { clock: time.clock });
});

Deno.test("verifyJwt() tries all keys of the algorithm when the token has no kid, up to 8", async () => {
  const others = await Promise.all(Array.from({ length: 8 }, () => makeClientKey("x")));
  const known = [...others.slice(1).map((other) => other.verification), key.verification];
  const token = await sign({ alg: "ES256" }, {}, key);
  await verifyJwt(token, known, { clock: time.clock });
  const more = [others[0]!.verification, ...known];
  assert.equal(await refusal({ alg: "ES256" }, {}, more), "unknown_key");
});

Deno.test("verifyJwt() holds exp and nbf, with the leeway for clocks and no more", async () => {
  const at = (seconds: number) => claimTime(time, seconds);
  const right = [{ exp: at(1 - CLOCK_SKEW) }, { nbf: at(CLOCK_SKEW) }, { exp: at(1), nbf: at(0) }];
  for (const claims of right) {
    await verifyJwt(await sign(HEADER, claims, key), keys, { clock: time.clock });
  }
  assert.equal(await refusal(HEADER, { exp: at(-CLOCK_SKEW) }), "expired");
  assert.equal(await refusal(HEADER, { nbf: at(CLOCK_SKEW + 1) }), "not_yet");
});

Deno.test("verifyJwt() has the leeway that it is told", async () => {
  const exact = { clock: time.clock, clockSkew: 0 };
  const over = await sign(HEADER, { exp: claimTime(time) }, key);
  assert.equal(await reasonOf(() => verifyJwt(over, keys, exact)), "expired");
  const live = await sign(HEADER, { exp: claimTime(time, 1) }, key);
  await verifyJwt(live, keys, exact);
});

Deno.test("verifyJwt() takes only the types that it is told (RFC 7515 §4.1.9)", async () => {
  const tried = async (typ: string | undefined, types: (string | undefined)[]) => {
    const token = await sign({ ...HEADER, typ }, {}, key);
    return await verifyJwt(token, keys, { clock: time.clock, types }).then(
      () => "taken",
      (e) => e.reason,
    );
  };
  assert.equal(await tried("at+jwt", ["at+jwt"]), "taken");
  assert.equal(await tried("application/AT+JWT", ["at+jwt"]), "taken");
  assert.equal(await tried(undefined, [undefined, "JWT"]), "taken");
  assert.equal(await tried(undefined, ["JWT"]), "claims");
  assert.equal(await tried("JWT", ["at+jwt"]), "claims");
  assert.equal(await tried("application/a/at+jwt", ["at+jwt"]), "claims");
});
