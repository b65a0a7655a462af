// @ts-check
/** The forms of the page. What is typed and what comes back stays in it: nothing is stored. */

import { answerInWords } from "./answers.js";
import { Malformed, tamperedToken } from "./token.js";
import { verifyToken } from "./verify.js";
import { browser, find, make, showNoVerification, showVerification, tell } from "./view.js";

/** @typedef {import("./dom.ts").PageElement} PageElement */
/** @typedef {import("./signature.js").PublicKey} PublicKey */

const { document, location, navigator } = browser;
const { issuer = "", jwks = "" } = find("main").dataset;

/** Below which path this page and the other routes are, as the browser sees it. */
const base = location.pathname.replace(/\/$/, "");
const jwksUrl = jwks || `${base}/.well-known/jwks.json`;

/** Of the verifications that were begun, the last one counts. */
let turn = 0;

function start() {
  for (const element of document.querySelectorAll("[data-needs-script]")) element.hidden = false;
  for (const element of document.querySelectorAll("[data-without-script]")) element.hidden = true;
  onSubmit("register-form", register);
  onSubmit("token-form", getToken);
  find("token").addEventListener("input", verify);
  find("audience").addEventListener("input", verify);
  find("tamper").addEventListener("click", tamper);
  for (const button of document.querySelectorAll("[data-copies]")) {
    button.addEventListener("click", () => copy(button, find(button.dataset.copies ?? "")));
    button.hidden = navigator.clipboard === undefined;
  }
}

/**
 * @param {string} id of a form, which not every server has
 * @param {(asked: string) => Promise<void>} work
 */
function onSubmit(id, work) {
  let isBusy = false;
  document.getElementById(id)?.addEventListener("submit", async (event) => {
    event.preventDefault();
    if (isBusy) return;
    isBusy = true;
    await work(event.submitter?.value ?? "");
    isBusy = false;
  });
}

async function register() {
  const username = find("register-username").value;
  const email = find("register-email").value;
  const answer = await post("register-result", "/register", { username, email });
  if (answer === undefined) return;
  const password = make("code", "secret", answer.password);
  tell(
    "register-result",
    "good",
    `${username} is registered. Its password, shown this once: `,
    password,
  );
  find("token-username").value = username;
  find("token-password").value = answer.password;
}

/** @param {string} asked */
async function getToken(asked) {
  const username = find("token-username").value;
  const password = find("token-password").value;
  const expired = asked === "expired";
  const answer = await post("token-result", "/auth", { username, password, expired });
  if (answer === undefined) return;
  const kind = expired ? "an expired token" : "a token";
  tell(
    "token-result",
    "good",
    `Here is ${kind} for ${username}. Step 3 shows what a verifier makes of it.`,
  );
  find("token").value = answer.token;
  await verify();
}

async function tamper() {
  const field = find("token");
  try {
    field.value = tamperedToken(field.value.trim());
  } catch (error) {
    if (!(error instanceof Malformed)) throw error; // that it is no token is told by `verify`
  }
  await verify();
}

async function verify() {
  const mine = ++turn;
  const text = find("token").value.trim();
  if (text === "") return showNoVerification();
  const now = Math.floor(Date.now() / 1000);
  const audience = find("audience").value.trim();
  try {
    const keys = await fetchKeys();
    const subtle = /** @type {SubtleCrypto | undefined} */ (globalThis.crypto.subtle);
    const verification = await verifyToken(text, { keys, issuer, audience, now, subtle });
    if (mine === turn) showVerification(verification, now);
  } catch (error) {
    if (mine === turn) showNoVerification(`Not verified: ${/** @type {Error} */ (error).message}.`);
  }
}

/** @returns {Promise<PublicKey[]>} */
async function fetchKeys() {
  const response = await fetch(jwksUrl, { cache: "no-cache", credentials: "omit" }).catch(() => {
    throw new Error(`the keys at ${jwksUrl} cannot be fetched`);
  });
  if (!response.ok) throw new Error(`the keys are not to be had now (status ${response.status})`);
  return (await response.json()).keys;
}

/**
 * What the server answers, or `undefined` once the reader was told why there is nothing.
 *
 * @param {string} result the id of the live region
 * @param {string} path
 * @param {Record<string, unknown>} body
 */
async function post(result, path, body) {
  tell(result, "busy", "The server is asked…");
  const request = {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify(body),
    credentials: /** @type {const} */ ("omit"),
  };
  const response = await fetch(base + path, request).catch(() => undefined);
  const answer = await response?.json().catch(() => undefined);
  if (response === undefined || answer === undefined) {
    tell(result, "bad", "The server cannot be reached.");
    return undefined;
  }
  if (response.ok) return answer;
  tell(result, "bad", answerInWords(response.status, answer, response.headers.get("retry-after")));
  return undefined;
}

/**
 * Copies the text of an element, and tells so on the button and to who does not see that.
 *
 * @param {PageElement} button
 * @param {PageElement} source
 */
async function copy(button, source) {
  const said = await navigator.clipboard?.writeText(source.textContent)
    .then(() => "Copied", () => undefined) ?? "Not copied";
  button.textContent = said;
  find("said").textContent = said;
  setTimeout(() => {
    button.textContent = "Copy";
    find("said").textContent = "";
  }, 2000);
}

start();
