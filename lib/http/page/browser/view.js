// @ts-check
/** What the page shows: elements made of text alone, never of markup. */

import { verdictInWords } from "./verify.js";
import { distanceInWords, momentInWords } from "./words.js";

/** @typedef {import("./dom.ts").Browser} Browser */
/** @typedef {import("./dom.ts").PageElement} PageElement */
/** @typedef {import("./token.js").Members} Members */
/** @typedef {import("./checks.js").Check} Check */
/** @typedef {import("./verify.js").Verification} Verification */

/** The browser, by types that Deno does not have. */
export const browser = /** @type {Browser} */ (/** @type {unknown} */ (globalThis));

/** The claims that are times (RFC 7519 §4.1, OpenID Connect Core §2). */
const TIMES = new Set(["exp", "nbf", "iat", "auth_time"]);

/**
 * @param {string} id of an element that the page surely has
 * @returns {PageElement}
 */
export function find(id) {
  const element = browser.document.getElementById(id);
  if (element === null) throw new Error(`The page has no element ${id}`);
  return element;
}

/**
 * @param {string} name
 * @param {string} className
 * @param {(PageElement | string)[]} children
 * @returns {PageElement}
 */
export function make(name, className, ...children) {
  const element = browser.document.createElement(name);
  element.className = className;
  element.append(...children);
  return element;
}

/**
 * Tells how something ended, in a live region.
 *
 * @param {string} id of the region
 * @param {"good" | "bad" | "unknown" | "busy"} kind
 * @param {(PageElement | string)[]} children
 */
export function tell(id, kind, ...children) {
  const region = find(id);
  region.className = `result ${kind}`;
  region.replaceChildren(...children);
}

/**
 * @param {Verification} verification
 * @param {number} now in seconds since the epoch
 */
export function showVerification(verification, now) {
  const { verdict, checks, token } = verification;
  const kind =
    /** @type {const} */ ({ valid: "good", refused: "bad", unknown: "unknown" })[verdict];
  tell("verdict", kind, verdictInWords(verification));
  find("checks").replaceChildren(...checks.map(checkItem));
  find("decoded").hidden = token === undefined;
  if (token === undefined) return;
  find("header").replaceChildren(...memberRows(token.header, now));
  find("claims").replaceChildren(...memberRows(token.claims, now));
}

/**
 * Shows no verification: why, or nothing at all.
 *
 * @param {string} [problem]
 */
export function showNoVerification(problem) {
  if (problem === undefined) tell("verdict", "busy", "There is no token yet.");
  else tell("verdict", "unknown", problem);
  find("checks").replaceChildren();
  find("decoded").hidden = true;
}

/** @param {Check} check */
function checkItem({ what, ok, says }) {
  const kind = ok === undefined ? "unknown" : ok ? "good" : "bad";
  const mark = make("span", "mark", { good: "passes", bad: "fails", unknown: "open" }[kind]);
  return make("li", kind, make("strong", "", what), mark, make("span", "says", says));
}

/**
 * @param {Members} members
 * @param {number} now
 */
function memberRows(members, now) {
  return Object.entries(members).map(([name, value]) => {
    const heading = make("th", "", name);
    heading.setAttribute("scope", "row");
    const cell = make("td", "", typeof value === "string" ? value : JSON.stringify(value));
    if (TIMES.has(name) && typeof value === "number") {
      const when = `${momentInWords(value)}, ${distanceInWords(Math.floor(value), now)}`;
      cell.append(make("span", "when", when));
    }
    return make("tr", "", heading, cell);
  });
}
