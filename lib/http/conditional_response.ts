/** Responses that a client may hold already: 304 for who has what is there (RFC 9110 §13.1.2). */

import { cacheControl, type CachingRules, type PublishedSet } from "../keys/published_set.ts";
import { PUBLICATION_DELAY } from "../rotation/policy.ts";
import type { Metadata } from "./metadata.ts";
import type { DrawnPage } from "./page/page.ts";
import { EVERYWHERE } from "./response.ts";

/** What a page of any origin may read (Fetch §3.2): what is published, and nothing else. */
const ANY_ORIGIN = {
  "access-control-allow-origin": "*",
  "access-control-expose-headers": "ETag",
};

/** Answers the preflight of a page that wants to read what is published (Fetch §3.2.2). */
export function preflightResponse(): Response {
  const headers = {
    ...EVERYWHERE,
    ...ANY_ORIGIN,
    "access-control-allow-methods": "GET, HEAD",
    "access-control-allow-headers": "*",
    "access-control-max-age": "86400",
  };
  return new Response(null, { status: 204, headers });
}

/** Answers a GET or HEAD of a JWK set at `now`, in seconds since the epoch. */
export type PublishedResponse = (
  set: PublishedSet,
  now: number,
  ifNoneMatch: string | null,
) => Response;

/**
 * Makes what answers a GET or HEAD of the JWK set, with 304 when the client holds it already. The
 * headers are made once a second: most of the requests are for just this.
 */
export function createPublishedResponse(rules: CachingRules): PublishedResponse {
  let made: { set: PublishedSet; now: number; headers: ReturnType<typeof headersOf> } | undefined;

  return function publishedResponse(set, now, ifNoneMatch) {
    if (made?.set !== set || made.now !== now) {
      made = { set, now, headers: headersOf(set, now, rules) };
    }
    if (isHeld(set.etag, ifNoneMatch)) {
      return new Response(null, { status: 304, headers: made.headers.notModified });
    }
    return new Response(set.text, { headers: made.headers.whole });
  };
}

function headersOf(set: PublishedSet, now: number, rules: CachingRules) {
  const notModified = {
    ...EVERYWHERE,
    ...ANY_ORIGIN,
    "cache-control": cacheControl(set, now, rules),
    "etag": set.etag,
  };
  const whole = {
    ...notModified,
    "content-type": "application/jwk-set+json",
    "content-length": String(set.length), // said for HEAD, too
  };
  return { notModified, whole };
}

/** Answers a GET or HEAD of the metadata (RFC 8414 §3.2). */
export function metadataResponse(
  { body, etag, variesByHost }: Metadata,
  ifNoneMatch: string | null,
): Response {
  const age = `max-age=${PUBLICATION_DELAY.cache}`;
  const headers = {
    ...EVERYWHERE,
    ...ANY_ORIGIN,
    ...(variesByHost
      ? { "cache-control": `private, ${age}`, vary: "Host, X-Forwarded-Host, X-Forwarded-Proto" }
      : { "cache-control": `public, ${age}` }),
    etag,
  };
  if (isHeld(etag, ifNoneMatch)) return new Response(null, { status: 304, headers });
  return wholeResponse(body, { ...headers, "content-type": "application/json" });
}

/** Answers a GET or HEAD of the page, which is no page of another site's, and tells none of them of it. */
export function pageResponse(
  { body, etag, isComplete }: DrawnPage,
  policy: string,
  ifNoneMatch: string | null,
): Response {
  const headers = {
    ...EVERYWHERE,
    "cache-control": "no-cache",
    "content-security-policy": policy,
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "referrer-policy": "no-referrer",
    etag,
  };
  const whole = { ...headers, "content-type": "text/html; charset=utf-8" };
  if (!isComplete) return wholeResponse(body, { ...whole, "retry-after": "1" }, 503);
  if (isHeld(etag, ifNoneMatch)) return new Response(null, { status: 304, headers });
  return wholeResponse(body, whole);
}

/** With its length, which is said for HEAD, too. */
function wholeResponse(
  body: Uint8Array<ArrayBuffer>,
  headers: Record<string, string>,
  status = 200,
): Response {
  return new Response(body, {
    status,
    headers: { ...headers, "content-length": String(body.length) },
  });
}

/** Whether the client holds it already: `If-None-Match` compares weakly (RFC 9110 §13.1.2). */
function isHeld(etag: string, ifNoneMatch: string | null): boolean {
  if (ifNoneMatch === null) return false;
  return ifNoneMatch === etag || ifNoneMatch.split(",").map((tag) => tag.trim().replace(/^W\//, ""))
    .some((tag) => tag === "*" || tag === etag);
}
