/**
 * Verifies signed tokens (RFC 7515 compact form, RFC 7519) with keys that are known beforehand, one
 * algorithm a key. What a token's header says of keys (`jwk`, `jku`, `x5c`, `x5u`) is never used.
 */

import { compactVerify, errors } from "jose";
import { z } from "zod";
import { decodeUtf8 } from "../base/bytes.ts";
import { type Clock, numericDate } from "../base/clock.ts";
import type { SigningAlgorithm } from "../keys/algorithms.ts";
import { decodeBase64url } from "./base64url.ts";
import { VerificationError } from "./verification_error.ts";
import { toSigningAlgorithm, type VerificationKey } from "./verification_key.ts";

/** How far another machine's clock may be off, in seconds: the only leeway there is. */
export const CLOCK_SKEW = 10;

/** The longest token that is read, in characters. */
export const TOKEN_LENGTH = 16 * 1024;

/** How many keys are tried on a token that does not say which it was signed with. */
const MOST_TRIED = 8;

/** The header parameters that are understood (RFC 7515 §4.1). */
const Header = z.looseObject({
  alg: z.string(),
  kid: z.string().optional(),
  typ: z.string().optional(),
});

/** RFC 7519 §4.1: what every token's claims are, where they are there. */
const Claims = z.looseObject({
  exp: z.number().optional(),
  nbf: z.number().optional(),
  iat: z.number().optional(),
});

/** A token's header. `algorithm` is the one that its `alg` names. */
export interface TokenHeader extends z.infer<typeof Header> {
  algorithm: SigningAlgorithm;
}

export type TokenClaims = z.infer<typeof Claims>;

/** A token taken apart, with nothing about it verified. */
export interface UnverifiedToken {
  header: TokenHeader;
  payload: Uint8Array;
}

export interface VerifyOptions {
  clock: Clock;
  /** The leeway for `exp` and `nbf`, in seconds; `CLOCK_SKEW` unless told. */
  clockSkew?: number;
  /** The types of which the header's `typ` must be one; `undefined` stands for none. */
  types?: readonly (string | undefined)[];
}

/**
 * The header and claims of a JWT whose time is now and whose signature is by `key`, one of `keys`.
 *
 * @throws {VerificationError} of any reason but `key` and `replayed`.
 */
export async function verifyJwt<Key extends VerificationKey>(
  token: string,
  keys: readonly Key[],
  options: VerifyOptions,
): Promise<{ header: TokenHeader; claims: TokenClaims; key: Key }> {
  const { header, payload, key } = await verifySignature(token, keys);
  if (options.types !== undefined) assertType(header.typ, options.types);
  const claims = readClaims(payload);
  assertTime(claims, options);
  return { header, claims, key };
}

/**
 * A JWS whose signature is by one of `keys`: by the one with its `kid`, or without a `kid` by any of
 * its algorithm, of which there may be 8.
 *
 * @throws {VerificationError} `malformed`, `algorithm`, `unknown_key`, `signature`.
 */
export async function verifySignature<Key extends VerificationKey>(
  token: string,
  keys: readonly Key[],
): Promise<UnverifiedToken & { key: Key }> {
  const parsed = parseToken(token);
  const { alg } = parsed.header;
  for (const key of candidates(parsed.header, keys)) {
    if (await isSignedBy(key.publicKey, token, alg)) return { ...parsed, key };
  }
  throw new VerificationError("signature", "the signature does not verify");
}

/**
 * Takes a token apart without verifying it.
 *
 * @throws {VerificationError} `malformed` for what is not in compact form or has extensions that
 * must be understood (`crit`, RFC 7515 §4.1.11; `b64`, RFC 7797), `algorithm` for `none`, symmetric
 * and unknown ones.
 */
export function parseToken(token: string): UnverifiedToken {
  if (token.length > TOKEN_LENGTH) throw malformed(`has more than ${TOKEN_LENGTH} characters`);
  const parts = token.split(".", 4);
  const [head, payload, signature] = parts.map(decodeBase64url);
  if (parts.length !== 3 || head === undefined || payload === undefined) throw notCompact();
  if (signature === undefined || signature.length === 0) throw notCompact();
  const header = Header.safeParse(parseJson(head)).data;
  if (header === undefined) throw malformed("has a header that is not as RFC 7515 §4 says");
  if (Object.hasOwn(header, "crit") || Object.hasOwn(header, "b64")) {
    throw malformed("has an extension that is not supported");
  }
  const algorithm = toSigningAlgorithm(header.alg);
  if (algorithm === undefined) throw wrongAlgorithm("is not supported");
  return { header: { ...header, algorithm }, payload };
}

/**
 * The claims of a payload.
 *
 * @throws {VerificationError} `malformed` when it is not a JSON object, `claims` when a time in it
 * is not a number.
 */
export function readClaims(payload: Uint8Array): TokenClaims {
  const value = parseJson(payload);
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    throw malformed("has no JSON object in it");
  }
  const claims = Claims.safeParse(value).data;
  if (claims === undefined) throw new VerificationError("claims", "exp, nbf or iat is no number");
  return claims;
}

/** Keys of the header's algorithm: never one that is for another. */
function candidates<Key extends VerificationKey>(header: TokenHeader, keys: readonly Key[]) {
  const { kid, algorithm } = header;
  const known = kid === undefined ? keys : keys.filter((key) => key.kid === kid);
  if (known.length === 0) throw unknownKey("no such key is known");
  const fitting = known.filter((key) => key.alg === algorithm);
  if (fitting.length === 0) throw wrongAlgorithm("is not the key's");
  if (kid !== undefined && fitting.length > 1) throw unknownKey("several keys have this kid");
  if (fitting.length > MOST_TRIED) throw unknownKey("the token must name its key by a kid");
  return fitting;
}

async function isSignedBy(
  publicKey: VerificationKey["publicKey"],
  token: string,
  alg: string,
): Promise<boolean> {
  try {
    await compactVerify(token, publicKey, { algorithms: [alg] });
    return true;
  } catch (error) {
    if (error instanceof errors.JOSEError) return false;
    throw error; // a fault of ours, not the token's
  }
}

/** RFC 7515 §4.1.9: a media type, in any case, whose `application/` may be left out. */
function assertType(typ: string | undefined, types: readonly (string | undefined)[]): void {
  const name = typ?.toLowerCase().replace(/^application\//, "");
  if (types.some((type) => type?.toLowerCase() === name)) return;
  throw new VerificationError("claims", "the token is of another type");
}

function assertTime(claims: TokenClaims, { clock, clockSkew = CLOCK_SKEW }: VerifyOptions): void {
  const now = numericDate(clock());
  if (claims.exp !== undefined && now >= claims.exp + clockSkew) {
    throw new VerificationError("expired", "the token has expired");
  }
  if (claims.nbf !== undefined && now < claims.nbf - clockSkew) {
    throw new VerificationError("not_yet", "the token is not valid yet");
  }
}

/** What the bytes say as JSON; `undefined` when they are not. */
function parseJson(bytes: Uint8Array): unknown {
  try {
    return JSON.parse(decodeUtf8(bytes));
  } catch {
    return undefined;
  }
}

function notCompact(): VerificationError {
  return malformed("is not a JWS in compact form");
}

function malformed(what: string): VerificationError {
  return new VerificationError("malformed", `the token ${what}`);
}

function wrongAlgorithm(what: string): VerificationError {
  return new VerificationError("algorithm", `the token's algorithm ${what}`);
}

function unknownKey(what: string): VerificationError {
  return new VerificationError("unknown_key", what);
}
