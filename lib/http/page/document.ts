/** The page as one document: everything that it needs stands in it. */

import { isoTime } from "../../base/clock.ts";
import { momentInWords } from "./browser/words.js";
import { SCRIPT, STYLE } from "./assets.ts";
import { commandsFor } from "./curl.ts";
import type { KeyLives } from "./key_lives.ts";
import { keysSection } from "./keys_section.ts";
import { markup, raw } from "./markup.ts";
import { type Offer, trySection } from "./sections.ts";
import type { Span } from "./timeline_shape.ts";

/** What the page is about. */
export interface PageFacts extends Offer {
  issuer: string;
  /** Where the JWK set is, when not below the issuer. */
  jwksUri: string | undefined;
  /** The path of the metadata. */
  metadataPath: string;
}

/** A key, as the page's icon. */
const ICON =
  "M15 2a7 7 0 0 0-6.7 9L2 17.3V22h4.7v-3H10v-3h2.3l.9-.9A7 7 0 1 0 15 2zm2 7a2 2 0 1 1 0-4" +
  " 2 2 0 0 1 0 4z";
const FAVICON = `data:image/svg+xml,${
  encodeURIComponent(
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 24 24"><path fill="#3b63d9" d="${ICON}"/></svg>`,
  )
}`;

/** @param lives the keys, and what will happen to them within `span`. */
export async function renderDocument(
  facts: PageFacts,
  { lives, now, span }: { lives: KeyLives; now: number; span: Span },
): Promise<string> {
  const { issuer } = facts;
  const base = issuer.replace(/\/$/, "");
  const jwksUrl = facts.jwksUri ?? `${base}/.well-known/jwks.json`;
  const page = markup`<!DOCTYPE html>
<html lang="en">
${head(issuer)}
<body>
<a class="skip" href="#main">Skip to the content</a>
<header class="top"><svg viewBox="0 0 24 24" width="22" height="22" aria-hidden="true"><path d="${ICON}"/></svg><p>jwks-server</p></header>
<main id="main" data-issuer="${issuer}" data-jwks="${facts.jwksUri ?? ""}">
<div class="intro">
<h1>Signed tokens, and the keys that verify them</h1>
<p class="lead">This server signs tokens (JWTs) for registered clients. Whoever has its public keys verifies those tokens, without a shared secret and without asking the server.</p>
<dl class="facts">
<div><dt>Issuer</dt><dd><code>${issuer}</code></dd></div>
${link("Keys (JWKS)", jwksUrl)}
${link("Metadata", new URL(issuer).origin + facts.metadataPath)}
${link("API description", `${base}/openapi.json`)}
${link("Readiness", `${base}/readyz`)}
</dl>
</div>
${keysSection(lives, now, span)}
${trySection(facts, commandsFor(base, jwksUrl))}
</main>
<footer><p>As of <time datetime="${isoTime(now)}">${
    momentInWords(now)
  }</time>. All times are UTC.</p></footer>
<script type="module">${raw(SCRIPT.text)}</script>
</body>
</html>
`;
  return String(await page);
}

function head(issuer: string) {
  return markup`<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>jwks-server at ${new URL(issuer).host}</title>
<link rel="icon" href="${FAVICON}">
<style>${raw(STYLE.text)}</style>
</head>`;
}

function link(name: string, url: string) {
  return markup`<div><dt>${name}</dt><dd><a href="${url}">${url}</a></dd></div>`;
}
