/** The part of the page that shows the published keys. */

import { isoTime } from "../../base/clock.ts";
import { distanceInWords, lengthInWords, momentInWords } from "./browser/words.js";
import type { KeyChange, KeyLives, KeyRow } from "./key_lives.ts";
import { markup } from "./markup.ts";
import type { Span } from "./timeline_shape.ts";
import { timelineSvg } from "./timeline_svg.ts";

const EVENTS: Record<KeyChange["event"], string> = {
  signs: "signs",
  retires: "only verifies",
  leaves: "leaves the set",
};

const HEADINGS = ["Key (kid)", "Algorithm", "State", "Age", "Next change"];

export function keysSection(lives: KeyLives, now: number, span: Span) {
  return markup`<section class="card" aria-labelledby="keys-title">
<h2 id="keys-title">Published keys</h2>
${lives.rows.length === 0 ? noKeys() : someKeys(lives, now, span)}
</section>`;
}

function noKeys() {
  return markup`<p class="note">No key is published just now, so no token can be had or verified. The server makes a key as soon as it can: try again in a moment.</p>`;
}

function someKeys(lives: KeyLives, now: number, span: Span) {
  const { rows, omitted } = lives;
  const others = omitted === 1 ? "Another key is" : `${omitted} other keys are`;
  return markup`<p class="hint">One key signs. The next is published well before it does, so that every cache of the keys knows it by then; the one before goes on verifying until its last token has expired.</p>
${timelineSvg(lives, now, span)}
<ul class="legend"><li class="announced">published</li><li class="signs">signs</li><li class="verifies">only verifies</li></ul>
<table class="keys" role="table">
<thead role="rowgroup"><tr role="row">${HEADINGS.map(heading)}</tr></thead>
<tbody role="rowgroup">
${rows.map((row) => tableRow(row, now))}</tbody>
</table>
${omitted > 0 && markup`<p class="hint">${others} published, too.</p>`}`;
}

function heading(name: string) {
  return markup`<th scope="col" role="columnheader">${name}</th>`;
}

/** On a narrow page, where the table's parts are blocks, roles and labels keep it a table. */
function tableRow({ kid, alg, state, publishedAt, next }: KeyRow, now: number) {
  const change = `${EVENTS[next.event]} ${distanceInWords(next.at, now)}`;
  return markup`<tr role="row">
<th scope="row" role="rowheader"><code>${kid}</code></th>
<td role="cell" data-label="Algorithm">${alg}</td>
<td role="cell" data-label="State"><span class="state ${state}">${state}</span></td>
<td role="cell" data-label="Age">${lengthInWords(now - publishedAt)}</td>
<td role="cell" data-label="Next change">${change} <time class="when" datetime="${
    isoTime(next.at)
  }">${momentInWords(next.at)}</time></td>
</tr>
`;
}
