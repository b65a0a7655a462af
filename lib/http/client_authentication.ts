/** Client authentication (RFC 6749 §2.3, RFC 7523 §2.2): a request turned into the proof it carries. */

import { DomainError } from "../base/errors.ts";
import type { ClientProof } from "../tokens/client_proof.ts";
import { readBasic } from "./basic.ts";
import { invalid } from "./parsed_body.ts";

/** The one type of assertion that is understood (RFC 7523 §2.2). */
const JWT_BEARER = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";

/** The ways to authenticate, as RFC 8414 §2 names them. */
export const AUTHENTICATION_METHODS = [
  "client_secret_basic",
  "client_secret_post",
  "private_key_jwt",
] as const;

/**
 * The proof in a request: HTTP Basic, `client_id` and `client_secret`, or an assertion.
 *
 * @throws {DomainError} `invalid_credentials` when there is none; `invalid_request` when there are
 * two, or one is malformed.
 */
export function readClientProof(headers: Headers, form: URLSearchParams): ClientProof {
  const basic = readBasic(headers.get("authorization"));
  const secret = form.get("client_secret");
  const assertion = readAssertion(form);
  if (
    [basic, secret, assertion].filter((proof) => proof !== undefined && proof !== null).length > 1
  ) {
    throw invalid("Only one way to authenticate may be used (RFC 6749 §2.3)");
  }
  const id = form.get("client_id");
  if (assertion !== undefined) return { method: "assertion", assertion };
  if (basic !== undefined) {
    const credentials = { username: decode(basic.username), password: decode(basic.password) };
    if (id === null || id === credentials.username) return { method: "password", credentials };
    throw invalid("The client_id and the Authorization header name two clients");
  }
  if (id && secret) return { method: "password", credentials: { username: id, password: secret } };
  throw new DomainError("invalid_credentials", "The client is not authenticated");
}

function readAssertion(form: URLSearchParams): string | undefined {
  const [type, assertion] = [form.get("client_assertion_type"), form.get("client_assertion")];
  if (type === null && assertion === null) return undefined;
  if (type !== JWT_BEARER) throw invalid(`The client_assertion_type must be ${JWT_BEARER}`);
  if (!assertion) throw invalid("The client_assertion is missing");
  return assertion;
}

/** In Basic, both halves are encoded as in a form first (RFC 6749 §2.3.1). */
function decode(text: string): string {
  try {
    return decodeURIComponent(text.replaceAll("+", " "));
  } catch {
    throw invalid("The Authorization header is not encoded as a form (RFC 6749 §2.3.1)");
  }
}
