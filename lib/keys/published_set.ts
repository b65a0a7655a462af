/** The JWK set (RFC 7517 §5) as it is served: bytes and validators, prepared before they are asked for. */

import { createHash } from "node:crypto";
import { PUBLICATION_DELAY, publishedKeys, type ScheduledKey } from "../rotation/policy.ts";
import type { PublicJwk } from "./signing_key.ts";

/** A prepared JWK set. It is right from `from` until before `until`, in seconds. */
export interface PublishedSet {
  /** The JSON text, `{"keys": [...]}`. */
  body: Uint8Array<ArrayBuffer>;
  /** A strong entity tag (RFC 9110 §8.8.3), quoted. */
  etag: string;
  from: number;
  until: number;
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
  const body = new TextEncoder().encode(text);
  return {
    body,
    etag: `"${createHash("sha256").update(body).digest("base64url")}"`,
    from: Math.max(...keys.map((key) => key.exp).filter((exp) => exp <= now), 0),
    until: Math.min(...published.map((key) => key.exp)),
  };
}

/** For how many seconds a cache may keep the set: never past the moment a key leaves it. */
export function maxAge(set: PublishedSet, now: number): number {
  return Math.max(1, Math.min(PUBLICATION_DELAY.cache, set.until - now));
}
