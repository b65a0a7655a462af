/** The style and the script of the page, and the policy by which a browser runs these and no others. */

import { createHash } from "node:crypto";
import answers from "./browser/answers.js" with { type: "text" };
import checks from "./browser/checks.js" with { type: "text" };
import app from "./browser/app.js" with { type: "text" };
import signature from "./browser/signature.js" with { type: "text" };
import token from "./browser/token.js" with { type: "text" };
import verify from "./browser/verify.js" with { type: "text" };
import view from "./browser/view.js" with { type: "text" };
import words from "./browser/words.js" with { type: "text" };
import base from "./style/base.css" with { type: "text" };
import colours from "./style/colours.css" with { type: "text" };
import keys from "./style/keys.css" with { type: "text" };
import forms from "./style/forms.css" with { type: "text" };

/** The browser's modules, each after those that it imports. */
const MODULES = [words, token, signature, checks, verify, answers, view, app];

/** Text for an element of its own, and the source expression of CSP 3 §2.3.1 that allows it. */
export interface Inlined {
  text: string;
  source: string;
}

export const STYLE: Inlined = inlined([colours, base, keys, forms].join("\n"));

/** The modules as one: what each imports stands before it already. */
export const SCRIPT: Inlined = inlined(
  MODULES.map((text) => text.replace(/^import [^;]+ from "\.\/[a-z_]+\.js";\n/gm, "")).join("\n"),
);

function inlined(text: string): Inlined {
  return { text, source: `'sha256-${createHash("sha256").update(text).digest("base64")}'` };
}

/** The policy of the page, which may ask this server and `jwksOrigin`, where the keys are. */
export function contentSecurityPolicy(jwksOrigin: string | undefined): string {
  return [
    "default-src 'none'",
    `style-src ${STYLE.source}`,
    `script-src ${SCRIPT.source}`,
    `connect-src 'self'${jwksOrigin === undefined ? "" : ` ${jwksOrigin}`}`,
    "img-src data:",
    "form-action 'none'",
    "base-uri 'none'",
    "frame-ancestors 'none'",
    "require-trusted-types-for 'script'",
    "trusted-types 'none'",
  ].join("; ");
}
