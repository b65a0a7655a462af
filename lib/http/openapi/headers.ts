/** The headers of answers, as the description tells them. */

import { ENTITY_TAG } from "./examples.ts";
import type { Json } from "./route.ts";

const HEADERS = {
  NoStore: {
    description: "No cache may keep the answer.",
    required: true,
    schema: { type: "string", const: "no-store" },
  },
  NoSniff: {
    description: "The answer is of the type that it names, whatever it looks like.",
    required: true,
    schema: { type: "string", const: "nosniff" },
  },
  CacheControl: {
    description: "For how many seconds caches may use the answer, and how far beyond that.",
    required: true,
    schema: { type: "string", pattern: "^(public|private), max-age=\\d+" },
    example: "public, max-age=300, stale-while-revalidate=60, stale-if-error=3600",
  },
  ETag: {
    description: "Stays the same until the answer changes (RFC 9110 §8.8.3).",
    required: true,
    schema: { type: "string", pattern: '^"[A-Za-z0-9_-]+"$' },
    example: ENTITY_TAG,
  },
  AnyOrigin: {
    description: "Pages of any origin may read the answer.",
    required: true,
    schema: { type: "string", const: "*" },
  },
  RetryAfter: {
    description: "After how many whole seconds to try again.",
    required: true,
    schema: { type: "integer", minimum: 1 },
    example: 1,
  },
  RateLimit: {
    description: "How many requests remain (r), and in how many seconds the window is over (t).",
    required: true,
    schema: { type: "string", pattern: '^"[a-z]+";r=\\d+;t=\\d+$' },
    example: '"auth";r=9;t=1',
  },
  RateLimitPolicy: {
    description: "How many requests (q) are admitted in how many seconds (w).",
    required: true,
    schema: { type: "string", pattern: '^"[a-z]+";q=\\d+;w=\\d+$' },
    example: '"auth";q=10;w=1',
  },
} as const satisfies Record<string, Json>;

/** The headers that several answers have. */
export const COMMON_HEADERS: Readonly<Record<string, Json>> = HEADERS;

/** References to them, by the names that they are sent under. */
export function headers(
  names: Readonly<Record<string, keyof typeof HEADERS>>,
): Record<string, Json> {
  return Object.fromEntries(
    Object.entries(names).map(([header, name]) => [header, {
      $ref: `#/components/headers/${name}`,
    }]),
  );
}

/** What answers have that no cache may keep. */
export const UNSTORED = headers({
  "Cache-Control": "NoStore",
  "X-Content-Type-Options": "NoSniff",
});

/** The same for answers that the rate limit has counted. */
export const COUNTED = {
  ...UNSTORED,
  ...headers({ "RateLimit": "RateLimit", "RateLimit-Policy": "RateLimitPolicy" }),
};

/** What answers have that caches may keep and pages of any origin may read. */
export const PUBLISHED = headers({
  "Cache-Control": "CacheControl",
  "X-Content-Type-Options": "NoSniff",
  "ETag": "ETag",
  "Access-Control-Allow-Origin": "AnyOrigin",
});
