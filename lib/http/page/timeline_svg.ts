/** The timeline as an SVG whose width is that of its place: lengths across are in percent. */

import { html } from "hono/html";
import { distanceInWords, momentInWords } from "./browser/words.js";
import type { KeyLife, KeyLives } from "./key_lives.ts";
import { placeOf, type Segment, segmentsOf, type Span, ticksOf } from "./timeline_shape.ts";

/** Heights in pixels. */
const HEAD = 24;
const ROW = 46;
const BAR = 14;
const FOOT = 24;

/** The longest kid that is written beside its bar, in characters. */
const LONGEST_KID = 20;

export function timelineSvg({ lives }: KeyLives, now: number, span: Span) {
  const bottom = HEAD + lives.length * ROW;
  const place = placeOf(now, span);
  return html`
    <svg class="timeline" role="img" aria-labelledby="timeline-title timeline-text" width="100%"
      height="${bottom + FOOT}">
    <title id="timeline-title">The keys through time</title>
    <desc id="timeline-text">${lives.map((life) => sentence(life, now)).join(" ")}</desc>
    <defs><pattern id="announced" width="6" height="6" patternUnits="userSpaceOnUse" patternTransform="rotate(45)"><rect class="stripe" width="2.5" height="6"/></pattern></defs>
    ${ticksOf(span).map(({ x, label }, index) =>
      html`
        <g class="${index % 2 ? "tick odd" : "tick"}">
          <line x1="${percent(x)}" x2="${percent(x)}" y1="${HEAD}" y2="${bottom}" />
          <text x="${percent(x)}" y="${bottom + 17}" text-anchor="${anchorAt(x)}">${label}</text>
        </g>
      `
    )}
    ${lives.map((life, index) => row(life, span, HEAD + index * ROW))}
    <g class="now"><line x1="${percent(place)}" x2="${percent(place)}" y1="${HEAD -
      4}" y2="${bottom}"/><text x="${percent(place)}" y="14" text-anchor="${anchorAt(
        place,
      )}">now</text></g>
    </svg>
  `;
}

function row(life: KeyLife, span: Span, top: number) {
  const { kid } = life.key ?? {};
  const className = kid === undefined ? "key upcoming" : "key";
  return html`<g class="${className}"><text y="${top + 17}">${shortened(kid)}</text>${
    segmentsOf(life, span).map((segment) => bar(segment, top + 24))
  }</g>`;
}

function bar({ phase, x, width }: Segment, y: number) {
  return html`
    <rect class="${phase}" x="${percent(x)}" y="${y}" width="${percent(width)}" height="${BAR}"
      rx="2" />
  `;
}

function shortened(kid: string | undefined): string {
  if (kid === undefined) return "to be made";
  return kid.length > LONGEST_KID ? `${kid.slice(0, LONGEST_KID - 1)}…` : kid;
}

/** What the picture says, for who does not see it. */
function sentence({ key, publishedAt, signFrom, signUntil, leavesAt }: KeyLife, now: number) {
  if (key === undefined) {
    return `A new key will be published ${distanceInWords(publishedAt, now)}.`;
  }
  const until = `until ${momentInWords(leavesAt)}`;
  if (signUntil <= now) return `Key ${key.kid} only verifies, ${until}.`;
  const from = signFrom <= now ? "now" : `from ${momentInWords(signFrom)}`;
  return `Key ${key.kid} signs ${from} until ${momentInWords(signUntil)}, and verifies ${until}.`;
}

function percent(value: number): string {
  return `${Number(value.toFixed(2))}%`;
}

/** At the edges, text stands beside its place, so that none of it is cut off. */
function anchorAt(x: number): "start" | "middle" | "end" {
  return x < 6 ? "start" : x > 94 ? "end" : "middle";
}
