/** The JWK set (RFC 7517 §5) as it is served: text and validators, prepared before they are asked for. */

import { entityTag } from "../base/bytes.ts";
import { PUBLICATION_DELAY, publishedKeys, type ScheduledKey } from "../rotation/policy.ts";
import type { PublicJwk } from "./signing_key.ts";

/** A prepared JWK set. It is right from `from` until before `until`, in seconds. */
export interface PublishedSet {
  /** The JSON text, `{"keys": [...]}`. */
  text: string;
  /** How many bytes that is in UTF-8. */
  length: number;
  /** A strong entity tag (RFC 9110 §8.8.3), quoted. */
  etag: string;
  from: number;
  until: number;
  /** When a key was revoked last, if one was. */
  revokedAt: number | undefined;
}

/** How long caches may use the set beyond its `max-age`; lengths in seconds. */
export interface CachingRules {
  /** While the issuer cannot be reached (RFC 5861 §4). */
  staleIfError: number;
  /** For how long a token of a revoked key may still be about. */
  tokenTtl: number;
}

/** A key as the set needs it. */
export interface PublishableKey extends ScheduledKey {
  publicJwk: PublicJwk;
}

/** Prepares what is to be published at `now`; `undefined` when there is nothing. */
export function preparePublishedSet(
  keys: readonly PublishableKey[],
  now: number,
): PublishedSet | undefined {
  const published = publishedKeys(keys, now);
  if (published.length === 0) return undefined;
  const text = JSON.stringify({ keys: published.map((key) => key.publicJwk) });
  return {
    text,
    length: new TextEncoder().encode(text).length,
    etag: entityTag(text),
    from: latest(keys.map((key) => key.exp).filter((exp) => exp <= now)) ?? 0,
    until: Math.min(...published.map((key) => key.exp)),
    revokedAt: latest(keys.map((key) => key.revokedAt).filter((at) => at !== undefined)),
  };
}

function latest(times: readonly number[]): number | undefined {
  return times.length === 0 ? undefined : Math.max(...times);
}

/**
 * What caches may do with the set at `now`. It survives an outage of the issuer, which
 * `must-revalidate` would forbid (RFC 9111 §5.2.2.2); but not while tokens of a key may be about that
 * was revoked, and that a stale set still has.
 */
export function cacheControl(set: PublishedSet, now: number, rules: CachingRules): string {
  const isRevocationFresh = set.revokedAt !== undefined && now < set.revokedAt + rules.tokenTtl;
  const stale = isRevocationFresh ? 0 : Math.max(0, Math.min(rules.staleIfError, set.until - now));
  return `public, max-age=${maxAge(set, now)}, ` +
    `stale-while-revalidate=${PUBLICATION_DELAY.revalidation}, stale-if-error=${stale}`;
}

/** For how many seconds a cache may keep the set: never past the moment a key leaves it. */
export function maxAge(set: PublishedSet, now: number): number {
  return Math.max(1, Math.min(PUBLICATION_DELAY.cache, set.until - now));
}
