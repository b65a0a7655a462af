/** The timeline as an SVG whose width is that of its place: lengths across are in percent. */

import { distanceInWords, lengthInWords, momentInWords } from "./browser/words.js";
import type { KeyLife, KeyLives } from "./key_lives.ts";
import { markup } from "./markup.ts";
import { placeOf, segmentsOf, type Span, type Tick, ticksOf } from "./timeline_shape.ts";

/** Heights in pixels. */
const HEAD = 24;
const ROW = 46;
const BAR_TOP = 25;
const BAR = 14;
const FOOT = 24;

/** The longest kid that is written beside its bar, in characters. */
const LONGEST_KID = 20;

export function timelineSvg({ lives }: KeyLives, now: number, span: Span) {
  const bottom = HEAD + lives.length * ROW;
  const top = (index: number) => HEAD + index * ROW;
  return markup`<svg class="timeline" role="img" aria-labelledby="timeline-title timeline-text" width="100%" height="${
    bottom + FOOT
  }">
<title id="timeline-title">The keys through time</title>
<desc id="timeline-text">${lives.map((life) => sentence(life, now)).join(" ")}</desc>
<defs><pattern id="announced" width="6" height="6" patternUnits="userSpaceOnUse" patternTransform="rotate(45)"><rect class="stripe" width="2.5" height="6"/></pattern></defs>
${ticksOf(span).map((tick, index) => tickMark(tick, index, bottom))}
${lives.map((life, index) => bars(life, span, top(index)))}
${lives.map((life, index) => label(life, now, top(index)))}
${nowMark(placeOf(now, span), lives.map((_, index) => top(index)))}
</svg>`;
}

/** Every other one is `odd`, so that a narrow page can leave it unnamed. */
function tickMark({ x, label }: Tick, index: number, bottom: number) {
  const name = index % 2 === 0 ? "tick" : "tick odd";
  return markup`<g class="${name}">${upright(x, HEAD, bottom)}${
    beside(x, bottom + 17, label)
  }</g>\n`;
}

/** The line of now crosses the bars and leaves out what is written above them. */
function nowMark(x: number, tops: readonly number[]) {
  const lines = tops.map((top) => upright(x, top + BAR_TOP - 4, top + BAR_TOP + BAR + 4));
  return markup`<g class="now">${beside(x, 13, "now")}${
    upright(x, HEAD - 6, HEAD + 2)
  }${lines}</g>\n`;
}

function bars(life: KeyLife, span: Span, top: number) {
  const name = life.key === undefined ? "upcoming" : "existing";
  return markup`<g class="${name}">${
    segmentsOf(life, span).map(({ phase, x, width }) =>
      markup`<rect class="${phase}" x="${percent(x)}" y="${top + BAR_TOP}" width="${
        percent(width)
      }" height="${BAR}" rx="2"/>`
    )
  }</g>\n`;
}

function label({ key, ...life }: KeyLife, now: number, top: number) {
  const kid = key && markup`<tspan class="kid">${shortened(key.kid)}</tspan> `;
  return markup`<text class="label" y="${top + 18}">${kid}${
    inShort({ key, ...life }, now)
  }</text>\n`;
}

function upright(x: number, from: number, to: number) {
  const place = percent(x);
  return markup`<line x1="${place}" x2="${place}" y1="${from}" y2="${to}"/>`;
}

/** Text at a place; at the edges it stands beside it, so that none of it is cut off. */
function beside(x: number, y: number, text: string) {
  const anchor = x < 6 ? "start" : x > 94 ? "end" : "middle";
  return markup`<text x="${percent(x)}" y="${y}" text-anchor="${anchor}">${text}</text>`;
}

function percent(value: number): string {
  return `${Number(value.toFixed(2))}%`;
}

function shortened(kid: string): string {
  return kid.length > LONGEST_KID ? `${kid.slice(0, LONGEST_KID - 1)}…` : kid;
}

function inShort({ key, publishedAt, signFrom, signUntil, leavesAt }: KeyLife, now: number) {
  if (key === undefined) return `a new key, ${distanceInWords(publishedAt, now)}`;
  if (signUntil <= now) return `verifies for another ${lengthInWords(leavesAt - now)}`;
  if (signFrom <= now) return `signs for another ${lengthInWords(signUntil - now)}`;
  return `signs ${distanceInWords(signFrom, now)}`;
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
