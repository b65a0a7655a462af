/** The page for people: what it shows is public, and drawn at most once a minute unless keys change. */

import { entityTag } from "../../base/bytes.ts";
import { type Clock, numericDate } from "../../base/clock.ts";
import type { KeyRing } from "../../keys/key_ring.ts";
import { nextMoment, publishedKeys } from "../../rotation/policy.ts";
import { contentSecurityPolicy } from "./assets.ts";
import { type PageFacts, renderDocument } from "./document.ts";
import { planLives } from "./key_lives.ts";
import { spanAround } from "./timeline_shape.ts";

/** What the page is drawn from; never a private key, and never the database. */
export interface PageParts extends PageFacts {
  ring: Pick<KeyRing, "keys" | "policy">;
  clock: Clock;
}

/** The page as it is drawn for a while. */
export interface DrawnPage {
  body: Uint8Array<ArrayBuffer>;
  /** A strong entity tag, quoted. */
  etag: string;
  /** Whether any key is published. */
  isComplete: boolean;
}

/** The page, and the policy that a browser keeps it under. */
export interface Page {
  draw: () => Promise<DrawnPage>;
  policy: string;
}

/** Makes what gives the page of now. */
export function createPage(parts: PageParts): Page {
  const { ring, clock, jwksUri } = parts;
  let known:
    | { of: KeyRing["keys"]; from: number; until: number; page: Promise<DrawnPage> }
    | undefined;

  function draw(): Promise<DrawnPage> {
    const now = numericDate(clock());
    if (known?.of !== ring.keys || now < known.from || known.until <= now) {
      known = { of: ring.keys, from: now, until: endOf(parts, now), page: drawAt(parts, now) };
    }
    return known.page;
  }

  return { draw, policy: contentSecurityPolicy(jwksUri && new URL(jwksUri).origin) };
}

/** When what the page says is over: with the minute, or when a key becomes something else. */
function endOf({ ring }: PageParts, now: number): number {
  const minute = 60 * (Math.floor(now / 60) + 1);
  return Math.min(minute, nextMoment(publishedKeys(ring.keys, now), now, ring.policy));
}

async function drawAt({ ring, ...facts }: PageParts, now: number): Promise<DrawnPage> {
  const published = publishedKeys(ring.keys, now);
  const earliest = Math.floor((published[0]?.id ?? now * 1000) / 1000);
  const span = spanAround(now, ring.policy.rotation, earliest);
  const lives = planLives(ring.keys, now, span.end, ring.policy);
  const body = new TextEncoder().encode(await renderDocument(facts, { lives, now, span }));
  return { body, etag: entityTag(body), isComplete: published.length > 0 };
}
