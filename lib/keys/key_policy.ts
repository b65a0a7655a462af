/** The policy that a database's keys are kept by, as all its processes agree on it. */

import { z } from "zod";
import { formatDuration } from "../base/duration.ts";
import { decodeUtf8 } from "../base/bytes.ts";
import { CLOCK_SKEW, PUBLICATION_DELAY, type RotationPolicy } from "../rotation/policy.ts";
import { isSigningAlgorithm, type SigningAlgorithm } from "./algorithms.ts";

/** How keys are rotated, of which algorithm new ones are, and how long caches may have old ones. */
export interface KeyPolicy extends RotationPolicy {
  alg: SigningAlgorithm;
  /** For how many seconds caches may use the JWK set while the issuer is away (RFC 5861 §4). */
  staleIfError: number;
}

/** The shortest pre-publication: caches and other processes must have learnt of a key by then. */
export const SHORTEST_PREPUBLISH = PUBLICATION_DELAY.cache + PUBLICATION_DELAY.poll;

/** How long that is for a server that has not stored it, unless it was told otherwise. */
const USUAL_STALE_IF_ERROR = 3600;

/** A length of time in whole seconds, at most a century. */
const Seconds = z.int().min(0).max(100 * 365 * 86_400);

/** The policy as it is stored, each member named as the variable that sets it. */
const StoredPolicy = z.object({
  SIGNING_ALG: z.string().refine(isSigningAlgorithm),
  KEY_ROTATION: Seconds,
  KEY_PREPUBLISH: Seconds.min(SHORTEST_PREPUBLISH),
  KEY_RETENTION: Seconds,
  TOKEN_TTL: Seconds.min(1),
  EXPIRED_TOKENS: z.boolean(),
  JWKS_STALE_IF_ERROR: Seconds.default(USUAL_STALE_IF_ERROR),
}).refine((policy) => policy.KEY_ROTATION >= policy.KEY_PREPUBLISH);
type StoredPolicy = z.infer<typeof StoredPolicy>;

function toStored(policy: KeyPolicy): StoredPolicy {
  return {
    SIGNING_ALG: policy.alg,
    KEY_ROTATION: policy.rotation,
    KEY_PREPUBLISH: policy.prepublish,
    KEY_RETENTION: policy.retention,
    TOKEN_TTL: policy.tokenTtl,
    EXPIRED_TOKENS: policy.expiredTokens,
    JWKS_STALE_IF_ERROR: policy.staleIfError,
  };
}

/** The policy as bytes for the storage. */
export function encodePolicy(policy: KeyPolicy): Uint8Array {
  return new TextEncoder().encode(JSON.stringify(toStored(policy)));
}

/** The policy in such bytes; `undefined` when they hold none that the configuration would allow. */
export function decodePolicy(bytes: Uint8Array): KeyPolicy | undefined {
  let stored: StoredPolicy;
  try {
    stored = StoredPolicy.parse(JSON.parse(decodeUtf8(bytes)));
  } catch {
    return undefined;
  }
  return {
    alg: stored.SIGNING_ALG,
    rotation: stored.KEY_ROTATION,
    prepublish: stored.KEY_PREPUBLISH,
    retention: stored.KEY_RETENTION,
    tokenTtl: stored.TOKEN_TTL,
    expiredTokens: stored.EXPIRED_TOKENS,
    staleIfError: stored.JWKS_STALE_IF_ERROR,
    clockSkew: CLOCK_SKEW,
  };
}

/**
 * How `ours` differs from `theirs`, by variable: `KEY_ROTATION is 30d here and 7d there`; with
 * `stated`, only in those variables.
 */
export function policyDifferences(
  ours: KeyPolicy,
  theirs: KeyPolicy,
  stated?: ReadonlySet<string>,
): string[] {
  const [here, there] = [toStored(ours), toStored(theirs)];
  return (Object.keys(here) as (keyof StoredPolicy)[])
    .filter((name) => here[name] !== there[name] && stated?.has(name) !== false)
    .map((name) => `${name} is ${inWords(here[name])} here and ${inWords(there[name])} there`);
}

function inWords(value: string | number | boolean): string {
  if (typeof value === "number") return formatDuration(value);
  return typeof value === "boolean" ? (value ? "on" : "off") : value;
}
