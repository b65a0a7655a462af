import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { createHmac, createPublicKey } from "node:crypto";
import fc from "fast-check";
import {
  base64url,
  compactVerify,
  createLocalJWKSet,
  decodeJwt,
  decodeProtectedHeader,
  errors,
  importJWK,
  type JSONWebKeySet,
  type JWTPayload,
  jwtVerify,
} from "jose";
import {
  ALGORITHM_NAMES,
  SIGNING_ALGORITHMS,
  type SigningAlgorithm,
} from "../../lib/keys/algorithms.ts";
import { KeyPool } from "../../lib/keys/key_pool.ts";
import {
  generatePrivateJwk,
  importSigningKey,
  makeEphemeralKey,
  type PrivateJwk,
  type SigningKey,
} from "../../lib/keys/signing_key.ts";
import { createForeignKeys } from "../../lib/tokens/foreign_keys.ts";
import { DEFECT_NAMES, type DefectName, DEFECTS, WRONG_BY } from "../../lib/tokens/defects.ts";
import { TestTokenIssuer } from "../../lib/tokens/test_tokens.ts";
import { assertConsistent, FARTHEST_END, type TestWish } from "../../lib/tokens/test_wish.ts";
import type { TokenGrant } from "../../lib/tokens/token_payload.ts";
import { failureOf, ISSUER, makeRing, POLICY, pregeneratedKey } from "../support.ts";

const AUDIENCE = "https://api.example";
const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

/** An RSA key is good for all of its algorithms, and slow to make. */
async function cheapKey(alg: SigningAlgorithm): Promise<PrivateJwk> {
  return { ...await pregeneratedKey(isRsa(alg) ? "RS256" : alg), alg };
}

/** Surely none of those. */
const foreignRsaKey = generatePrivateJwk("RS256");

async function cheapForeignKey(alg: SigningAlgorithm): Promise<SigningKey> {
  const jwk = isRsa(alg) ? await foreignRsaKey : await generatePrivateJwk(alg);
  return await importSigningKey({ ...jwk, alg, kid: crypto.randomUUID() });
}

function isRsa(alg: SigningAlgorithm): boolean {
  return SIGNING_ALGORITHMS[alg].kty === "RSA";
}

/** What issues test tokens over a ring of its own, and how a right service verifies them. */
async function makeTester(alg: SigningAlgorithm = "ES256") {
  const pool = new KeyPool(cheapKey);
  const { ring, time } = await makeRing({ policy: { alg }, parts: { pool } });
  const { clock } = time;
  const foreignKey = createForeignKeys(cheapForeignKey);
  const named = { issuer: ISSUER, audience: AUDIENCE };
  const issuer = new TestTokenIssuer({ ...POLICY, ...named, ring, clock, foreignKey });
  const set: JSONWebKeySet = JSON.parse(ring.published()!.text);
  const signer = await ring.signer();
  const usual = { iss: ISSUER, sub: "svc", aud: AUDIENCE, client_id: "svc" };
  return {
    ring,
    time,
    signer,
    set,
    /** Every claim of a token that is issued now, but `jti`. */
    usual: { ...usual, iat: time.seconds, exp: time.seconds + POLICY.tokenTtl },
    issue: (wish: TestWish, grant?: TokenGrant) => issuer.issue("svc", wish, grant),
    verify: (token: string) =>
      jwtVerify(token, createLocalJWKSet(set), {
        issuer: ISSUER,
        audience: AUDIENCE,
        typ: "JWT",
        algorithms: [alg],
        clockTolerance: 300,
        currentDate: new Date(time.now),
      }),
  };
}
type Tester = Awaited<ReturnType<typeof makeTester>>;

/** The claims without `jti`, which is another one each time. */
function withoutJti({ jti, ...claims }: JWTPayload) {
  assert.match(String(jti), UUID);
  return claims;
}

/** Asserts that the signature is by the key that signs now. */
async function assertTrulySigned({ signer }: Tester, token: string): Promise<void> {
  await compactVerify(token, await importJWK(signer.publicJwk, signer.alg));
}

/** Why a right verifier refuses each, as jose says it: the reason, and the claim. */
const REASONS: Record<DefectName, readonly [code: string, claim?: string]> = {
  "expired": ["ERR_JWT_EXPIRED", "exp"],
  "not-yet-valid": ["ERR_JWT_CLAIM_VALIDATION_FAILED", "nbf"],
  "unknown-kid": ["ERR_JWKS_NO_MATCHING_KEY"],
  "wrong-key": ["ERR_JWS_SIGNATURE_VERIFICATION_FAILED"],
  "wrong-audience": ["ERR_JWT_CLAIM_VALIDATION_FAILED", "aud"],
  "wrong-issuer": ["ERR_JWT_CLAIM_VALIDATION_FAILED", "iss"],
  "tampered": ["ERR_JWS_SIGNATURE_VERIFICATION_FAILED"],
  "alg-none": ["ERR_JOSE_ALG_NOT_ALLOWED"],
  "hs256-with-public-key": ["ERR_JOSE_ALG_NOT_ALLOWED"],
};

for (const defect of DEFECT_NAMES) {
  Deno.test(`a token that is ${defect} is refused by a right verifier for just that`, async () => {
    const { issue, verify } = await makeTester();
    const { token, expiresIn, jti } = await issue({ defect });
    const error = await failureOf(() => verify(token), defect);
    assert.ok(error instanceof errors.JOSEError, String(error));
    const { claim } = error as Partial<errors.JWTClaimValidationFailed>;
    assert.deepEqual([error.code, ...(claim === undefined ? [] : [claim])], REASONS[defect]);
    assert.equal(expiresIn, 0, "nobody may take it");
    assert.equal(decodeJwt(token).jti, jti);
    assert.match(DEFECTS[defect].verdict, /^(refuses it|fetches)/);
  });
}

Deno.test("all else about a token with a wrong claim is right", async () => {
  const tester = await makeTester();
  const { usual, signer, time: { seconds: now } } = tester;
  const wrong: Partial<Record<DefectName, object>> = {
    "expired": { iat: now - WRONG_BY - POLICY.tokenTtl, exp: now - WRONG_BY },
    "not-yet-valid": { nbf: now + WRONG_BY, exp: now + WRONG_BY + POLICY.tokenTtl },
    "wrong-audience": { aud: "https://wrong-audience.invalid" },
    "wrong-issuer": { iss: "https://wrong-issuer.invalid" },
  };
  for (const [defect, claims] of Object.entries(wrong)) {
    const { token } = await tester.issue({ defect: defect as DefectName });
    assert.deepEqual(withoutJti(decodeJwt(token)), { ...usual, ...claims }, defect);
    assert.deepEqual(decodeProtectedHeader(token), { alg: "ES256", kid: signer.kid, typ: "JWT" });
    await assertTrulySigned(tester, token);
  }
  assert.ok(WRONG_BY > 300, "beyond a leeway of five minutes");
});

for (const alg of ALGORITHM_NAMES) {
  Deno.test(`tokens are forged for ${alg} as attackers forge them`, async () => {
    const tester = await makeTester(alg);
    const { issue, signer, usual, set, verify } = tester;
    assert.deepEqual(
      withoutJti((await verify((await issue({ claims: {} })).token)).payload),
      usual,
    );
    for (const defect of ["wrong-key", "unknown-kid", "tampered"] as const) {
      const { token, kid } = await issue({ defect });
      const header = decodeProtectedHeader(token);
      assert.deepEqual(header, { alg, kid, typ: "JWT" });
      assert.equal(set.keys.some((key) => key.kid === kid), defect !== "unknown-kid");
      assert.equal(kid === signer.kid, defect !== "unknown-kid");
      assert.deepEqual(withoutJti(decodeJwt(token)), usual, defect);
      const failure = await failureOf(() => assertTrulySigned(tester, token), `${alg} ${defect}`);
      assert.ok(failure instanceof errors.JWSSignatureVerificationFailed, String(failure));
    }
    const none = await issue({ defect: "alg-none" });
    assert.match(none.token, /^[\w-]+\.[\w-]+\.$/);
    assert.deepEqual(decodeProtectedHeader(none.token), {
      alg: "none",
      kid: signer.kid,
      typ: "JWT",
    });
    assert.deepEqual(withoutJti(decodeJwt(none.token)), usual);

    const confused = await issue({ defect: "hs256-with-public-key" });
    const [head, payload, signature] = confused.token.split(".");
    const pem = createPublicPem(set, signer.kid);
    const mac = createHmac("sha256", pem).update(`${head}.${payload}`).digest("base64url");
    assert.equal(signature, mac);
    assert.deepEqual(withoutJti(decodeJwt(confused.token)), usual);
  });
}

/** The published key as an attacker makes it a PEM, with what is not ours where there is such a thing. */
function createPublicPem(set: JSONWebKeySet, kid: string): string {
  const jwk = set.keys.find((key) => key.kid === kid)!;
  if (jwk.kty !== "AKP") {
    return createPublicKey({ key: jwk, format: "jwk" }).export({ type: "spki", format: "pem" })
      .toString();
  }
  // RFC 9881 §4: SEQUENCE { SEQUENCE { OID 2.16.840.1.101.3.4.3.(17, 18, 19) }, BIT STRING }
  const place = ["ML-DSA-44", "ML-DSA-65", "ML-DSA-87"].indexOf(jwk.alg!);
  const pub = base64url.decode(jwk.pub!);
  const length = (size: number) => [0x82, size >> 8, size & 0xff];
  const oid = [0x30, 11, 6, 9, 0x60, 0x86, 0x48, 1, 0x65, 3, 4, 3, 17 + place];
  const bits = [3, ...length(pub.length + 1), 0, ...pub];
  const der = Buffer.from([0x30, ...length(oid.length + bits.length), ...oid, ...bits]);
  const lines = der.toString("base64").match(/.{1,64}/g)!.join("\n");
  return `-----BEGIN PUBLIC KEY-----\n${lines}\n-----END PUBLIC KEY-----\n`;
}

Deno.test("a key that forges is made once, for itself alone, and is in no ring", async () => {
  const { issue, ring } = await makeTester();
  const before = ring.keys.map(({ kid }) => kid);
  const first = await issue({ defect: "unknown-kid" });
  const second = await issue({ defect: "unknown-kid" });
  assert.equal(first.kid, second.kid);
  await ring.maintain();
  assert.deepEqual(ring.keys.map(({ kid }) => kid), before);

  const foreignKey = createForeignKeys();
  const [key, same] = await Promise.all([foreignKey("EdDSA"), foreignKey("EdDSA")]);
  assert.equal(key, same);
  assert.notDeepEqual((await makeEphemeralKey("EdDSA")).publicJwk.x, key.publicJwk.x);
  assert.match(key.kid, UUID);
  assert.equal((await foreignKey("ES384")).alg, "ES384");
});

Deno.test("a key that could not be made is made when it is asked for again", async () => {
  let tries = 0;
  const foreignKey = createForeignKeys((alg) =>
    tries++ === 0 ? Promise.reject(new Error("no luck")) : makeEphemeralKey(alg)
  );
  await assert.rejects(foreignKey("EdDSA"), /no luck/);
  assert.equal((await foreignKey("EdDSA")).alg, "EdDSA");
});

Deno.test("the end and the beginning of a token are the caller's choice", async () => {
  const { issue, time: { seconds: now } } = await makeTester();
  const { tokenTtl: life } = POLICY;
  const rows: [TestWish, iat: number, exp: number, expiresIn: number][] = [
    [{ expiresIn: 30 }, now, now + 30, 30],
    [{ expiresIn: 0 }, now - life, now, 0],
    [{ expiresIn: -30 }, now - 30 - life, now - 30, 0],
    [{ expiresIn: FARTHEST_END }, now, now + FARTHEST_END, FARTHEST_END],
    [{ issuedAt: now - 100 }, now - 100, now - 100 + life, life - 100],
    [{ issuedAt: now + 100 }, now + 100, now + 100 + life, life + 100],
    [{ issuedAt: 0 }, 0, life, 0],
    [{ issuedAt: now - 10, expiresIn: 10 }, now - 10, now + 10, 10],
    [{ issuedAt: 7, expiresIn: -5 }, 7, now - 5, 0],
  ];
  for (const [wish, iat, exp, expiresIn] of rows) {
    const issued = await issue(wish);
    const claims = decodeJwt(issued.token);
    const what = JSON.stringify(wish);
    assert.deepEqual([claims.iat, claims.exp, issued.expiresIn], [iat, exp, expiresIn], what);
  }
  const grant = { tokenTtl: 60 };
  assert.equal((await issue({ claims: {} }, grant)).expiresIn, 60, "the client's policy holds");
  assert.equal((await issue({ expiresIn: 61 }, grant)).expiresIn, 61);
});

Deno.test("claims of the caller's choosing take the place of all others, and null leaves one out", async () => {
  const { issue, verify, usual } = await makeTester();
  const claims = JSON.parse(
    '{"sub":"root","tenant":[1,{"__proto__":{"a":1}}],"__proto__":{"b":2}}',
  );
  const { token } = await issue({ claims }, { claims: { tenant: "blue", tier: "gold" } });
  const { payload } = await verify(token);
  assert.deepEqual(withoutJti(payload), { ...usual, tier: "gold", ...claims });
  assert.ok(Object.hasOwn(payload, "__proto__"));
  assert.equal(Object.getPrototypeOf(claims), Object.prototype);

  const bare = await issue({
    claims: { exp: null, sub: null, aud: null, jti: null, deep: { x: null } },
  });
  const { exp: _, sub: __, aud: ___, ...rest } = usual;
  assert.deepEqual(decodeJwt(bare.token), { ...rest, deep: { x: null } });
  assert.deepEqual([bare.expiresIn, bare.jti, bare.audience], [0, "", ""]);

  const odd = await issue({ claims: { exp: "soon", jti: 7, aud: ["a", 1], scope: 3 } });
  assert.deepEqual([odd.expiresIn, odd.jti, odd.audience, odd.scope], [
    0,
    "7",
    ["a", "1"],
    undefined,
  ]);
  const later = await issue({ claims: { nbf: usual.iat + 1 } });
  assert.equal(later.expiresIn, 0, "not valid now");
  assert.equal((await issue({ claims: { nbf: usual.iat } })).expiresIn, POLICY.tokenTtl);
});

Deno.test("a token of any consistent wish says just what was wished for, and is else as usual", async () => {
  const tester = await makeTester();
  const { issue, usual, time: { seconds: now } } = tester;
  const names = ["iss", "sub", "aud", "iat", "exp", "nbf", "jti", "scope", "cnf", "x", "__proto__"];
  const claims = fc.dictionary(fc.constantFrom(...names), fc.jsonValue({ maxDepth: 2 }));
  const wishes = fc.record({
    defect: fc.option(fc.constantFrom(...DEFECT_NAMES), { nil: undefined }),
    claims: fc.option(claims, { nil: undefined }),
    expiresIn: fc.option(fc.integer({ min: -1e6, max: 1e6 }), { nil: undefined }),
    issuedAt: fc.option(fc.integer({ min: 0, max: 4e9 }), { nil: undefined }),
  });
  let refused = 0;
  await fc.assert(
    fc.asyncProperty(wishes, async (wish) => {
      const own = Object.keys(wish.claims ?? {});
      const decided = [
        ...own,
        ...(wish.defect === undefined ? [] : DEFECTS[wish.defect].claims),
        ...(wish.expiresIn === undefined ? [] : ["exp"]),
        ...(wish.issuedAt === undefined ? [] : ["iat"]),
      ];
      if (new Set(decided).size < decided.length) {
        refused++;
        assert.throws(() => assertConsistent(wish), { code: "invalid_request" });
        return;
      }
      assertConsistent(wish);
      const { token, expiresIn } = await issue(wish);
      const said = decodeJwt(token) as Record<string, unknown>;
      for (const name of own) {
        const wanted = wish.claims![name];
        assert.equal(Object.hasOwn(said, name), wanted !== null, name);
        if (wanted !== null) assert.deepEqual(said[name], JSON.parse(JSON.stringify(wanted)), name);
      }
      if (wish.expiresIn !== undefined) assert.equal(said.exp, now + wish.expiresIn);
      if (wish.issuedAt !== undefined) assert.equal(said.iat, wish.issuedAt);
      for (const name of ["iss", "sub", "aud", "client_id"] as const) {
        if (!decided.includes(name)) assert.equal(said[name], usual[name]);
      }
      const isOver = typeof said.exp !== "number" || said.exp <= now;
      if (wish.defect !== undefined || isOver) assert.equal(expiresIn, 0);
      if (wish.defect === undefined) await assertTrulySigned(tester, token);
    }),
    { numRuns: 200 },
  );
  assert.ok(refused > 0);
});
