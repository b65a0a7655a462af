/** The part of the page that shows the published keys. */

import { html } from "hono/html";
import { isoTime } from "../../base/clock.ts";
import { distanceInWords, lengthInWords, momentInWords } from "./browser/words.js";
import type { KeyChange, KeyLives, KeyRow } from "./key_lives.ts";
import type { Span } from "./timeline_shape.ts";
import { timelineSvg } from "./timeline_svg.ts";

const EVENTS: Record<KeyChange["event"], string> = {
  signs: "signs",
  retires: "only verifies",
  leaves: "leaves the set",
};

export function keysSection(lives: KeyLives, now: number, span: Span) {
  return html`<section class="card" aria-labelledby="keys-title">
<h2 id="keys-title">Published keys</h2>
${lives.rows.length === 0 ? noKeys() : someKeys(lives, now, span)}
</section>`;
}

function noKeys() {
  return html`
    <p
      class="note">No key is published just now, so no token can be had or verified. The server makes a key as soon as it can: try again in a moment.</p>
  `;
}

function someKeys(lives: KeyLives, now: number, span: Span) {
  const { rows, omitted } = lives;
  return html`
    <p
      class="hint">One key signs. The next is published well before it does, so that every cache of the keys knows it by then; the one before goes on verifying until its last token has expired.</p>
    ${timelineSvg(lives, now, span)}
    <ul class="legend">
      <li class="announced">published</li>
      <li class="signs">signs</li>
      <li class="verifies">only verifies</li>
    </ul>
    <table class="keys" role="table">
      <thead role="rowgroup">
        <tr role="row">
          <th scope="col" role="columnheader">Key (kid)</th>
          <th scope="col" role="columnheader">Algorithm</th>
          <th scope="col" role="columnheader">State</th>
          <th scope="col" role="columnheader">Age</th>
          <th scope="col" role="columnheader">Next change</th>
        </tr>
      </thead>
      <tbody role="rowgroup">${rows.map((row) => tableRow(row, now))}</tbody>
    </table>
    ${omitted > 0 &&
      html`<p class="hint">${omitted} older keys are published, too, which only verify.</p>`}
  `;
}

function tableRow({ kid, alg, state, publishedAt, next }: KeyRow, now: number) {
  return html`
    <tr role="row">
      <th scope="row" role="rowheader"><code>${kid}</code></th>
      <td role="cell" data-label="Algorithm">${alg}</td>
      <td role="cell" data-label="State"><span class="state ${state}">${state}</span></td>
      <td role="cell" data-label="Age">${lengthInWords(now - publishedAt)}</td>
      <td role="cell"
        data-label="Next change">${EVENTS[next.event]} ${distanceInWords(
          next.at,
          now,
        )} <time class="when" datetime="${isoTime(next.at)}">${momentInWords(next.at)}</time></td>
    </tr>
  `;
}
