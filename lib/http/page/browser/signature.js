// @ts-check
/** Signatures verified by WebCrypto, for each algorithm that this server signs with. */

/** @typedef {import("./token.js").Token} Token */
/**
 * A public JWK.
 *
 * @typedef {{kid?: string, kty?: string, alg?: string, n?: string, e?: string, crv?: string, x?: string, y?: string, pub?: string}} PublicKey
 */

/** What WebCrypto calls an algorithm's keys, and what it is told to verify with. */
/** @type {Record<string, {kty: string, key: any, verify: any}>} */
const ALGORITHMS = {
  ...family(
    "RS",
    (bits) => same("RSA", { name: "RSASSA-PKCS1-v1_5", hash: `SHA-${bits}` }),
  ),
  ...family("PS", (bits) => ({
    kty: "RSA",
    key: { name: "RSA-PSS", hash: `SHA-${bits}` },
    verify: { name: "RSA-PSS", saltLength: bits / 8 }, // RFC 7518 §3.5: as long as the hash
  })),
  ...family("ES", (bits) => ({
    kty: "EC",
    key: { name: "ECDSA", namedCurve: `P-${bits === 512 ? 521 : bits}` },
    verify: { name: "ECDSA", hash: `SHA-${bits}` },
  })),
  "EdDSA": same("OKP", { name: "Ed25519" }),
  "ML-DSA-44": same("AKP", { name: "ML-DSA-44" }),
  "ML-DSA-65": same("AKP", { name: "ML-DSA-65" }),
  "ML-DSA-87": same("AKP", { name: "ML-DSA-87" }),
};

/**
 * @param {string} prefix
 * @param {(bits: number) => {kty: string, key: any, verify: any}} make
 */
function family(prefix, make) {
  return Object.fromEntries([256, 384, 512].map((bits) => [`${prefix}${bits}`, make(bits)]));
}

/**
 * @param {string} kty
 * @param {any} algorithm
 */
function same(kty, algorithm) {
  return { kty, key: algorithm, verify: algorithm };
}

/**
 * Whether this is a signature algorithm with public keys: not `none`, nor one of shared secrets.
 *
 * @param {unknown} alg
 * @returns {alg is string}
 */
export function isPublicKeyAlgorithm(alg) {
  return typeof alg === "string" && Object.hasOwn(ALGORITHMS, alg);
}

/**
 * Whether the key has signed the token, by the key's algorithm; `undefined` when this browser does
 * not know that one.
 *
 * @param {Token} token
 * @param {PublicKey} jwk
 * @param {SubtleCrypto} subtle
 * @returns {Promise<boolean | undefined>}
 */
export async function isSignedBy({ signed, signature }, jwk, subtle) {
  const algorithm = ALGORITHMS[jwk.alg ?? ""];
  if (algorithm === undefined || algorithm.kty !== jwk.kty) return false;
  if (algorithm.kty === "EC" && algorithm.key.namedCurve !== jwk.crv) return false;
  try {
    const key = await subtle.importKey("jwk", publicMembers(jwk), algorithm.key, false, ["verify"]);
    return await subtle.verify(algorithm.verify, key, signature, signed);
  } catch (error) {
    if (error instanceof DOMException && error.name === "NotSupportedError") return undefined;
    return false; // a key that is none
  }
}

/**
 * The members that make up the key: what else stands there is not for WebCrypto. Only a key of type
 * AKP is nothing without its algorithm (RFC 9964 §3).
 *
 * @param {PublicKey} jwk
 * @returns {JsonWebKey}
 */
function publicMembers({ kty, n, e, crv, x, y, pub, alg }) {
  const members = { kty, n, e, crv, x, y, pub, alg: kty === "AKP" ? alg : undefined };
  return Object.fromEntries(Object.entries(members).filter(([, value]) => value !== undefined));
}
