/** The parts of the page that let its reader try the server. */

import type { Command, Commands } from "./curl.ts";
import { markup } from "./markup.ts";

/** What of the server can be tried. */
export interface Offer {
  /** Whether anybody may register. */
  registration: boolean;
  /** Whether expired tokens are given on request. */
  expiredTokens: boolean;
  /** What verifiers expect in `aud`. */
  audience: string;
}

export function trySection(offer: Offer, commands: Commands) {
  return markup`<section aria-labelledby="try-title">
<h2 id="try-title">Try it</h2>
<p class="hint">Passwords and tokens stay in this page: it stores nothing, and puts nothing into its address.</p>
<p class="note" data-without-script>The forms need JavaScript. The curl lines do the same without it.</p>
<div class="try">
<div class="steps">
${registerCard(offer, commands)}
${tokenCard(offer, commands)}
</div>
${verifyCard(offer, commands)}
</div>
<p id="said" class="unseen" role="status"></p>
</section>`;
}

function registerCard({ registration }: Offer, { register }: Commands) {
  const title = markup`<h3 id="register-title"><span class="step">1</span> Register a client</h3>`;
  if (!registration) {
    return markup`<section class="card" aria-labelledby="register-title">${title}
<p>Registration is closed here. The operator of this server registers clients.</p></section>`;
  }
  return markup`<section class="card" aria-labelledby="register-title">${title}
<form id="register-form" hidden data-needs-script autocomplete="off">
${field("register-username", "Username", { autocapitalize: "none" })}
${field("register-email", "E-mail address", { type: "email" })}
<p class="buttons"><button type="submit" class="primary">Register</button></p>
</form>
<div id="register-result" class="result" role="status"></div>
${commandLines("register", register)}</section>`;
}

function tokenCard({ expiredTokens }: Offer, { token, expired }: Commands) {
  const lines = expiredTokens ? [...token, ...expired] : token;
  const expiredButton = markup`<button type="submit" value="expired">Get an expired one</button>`;
  return markup`<section class="card" aria-labelledby="get-title">
<h3 id="get-title"><span class="step">2</span> Get a token</h3>
<form id="token-form" hidden data-needs-script autocomplete="off">
${field("token-username", "Username", { autocapitalize: "none" })}
${field("token-password", "Password", { type: "password", autocomplete: "off" })}
<p class="buttons"><button type="submit" class="primary">Get a token</button>${
    expiredTokens && expiredButton
  }</p>
</form>
<div id="token-result" class="result" role="status"></div>
${commandLines("token", lines)}</section>`;
}

function verifyCard({ audience }: Offer, { verify }: Commands) {
  return markup`<section class="card verify" aria-labelledby="verify-title">
<h3 id="verify-title"><span class="step">3</span> Verify it</h3>
<p class="hint">As any verifier does, with nothing but the published keys. Paste a token of your own, or change a character.</p>
<div hidden data-needs-script>
<label for="token">Token</label>
<textarea id="token" rows="7" spellcheck="false" autocomplete="off" autocapitalize="none"></textarea>
<label for="audience">Audience that the verifier expects</label>
<input id="audience" type="text" value="${audience}" spellcheck="false" autocomplete="off">
<p class="buttons"><button type="button" id="tamper">Tamper with the token</button></p>
<div id="verdict" class="result busy" role="status">There is no token yet.</div>
<ul id="checks" class="checks"></ul>
<div id="decoded" hidden>
<h4>Header</h4><table class="members"><tbody id="header"></tbody></table>
<h4>Claims</h4><table class="members"><tbody id="claims"></tbody></table>
</div>
</div>
${commandLines("verify", verify)}</section>`;
}

function field(id: string, label: string, { type = "text", ...others }: Record<string, string>) {
  const attributes = Object.entries(others).map(([name, value]) => markup` ${name}="${value}"`);
  return markup`<label for="${id}">${label}</label>
<input id="${id}" type="${type}" required spellcheck="false"${attributes}>`;
}

function commandLines(name: string, commands: readonly Command[]) {
  return commands.map(({ what, line }, index) => {
    const id = `${name}-command-${index}`;
    return markup`<div class="command"><p class="what">${what}</p>
<pre><code id="${id}">${line}</code></pre>
<button type="button" class="copy" hidden data-copies="${id}" aria-label="Copy: ${what}">Copy</button></div>
`;
  });
}
