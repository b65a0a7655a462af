/** Client authentication (RFC 6749 §2.3, RFC 7523 §2.2): a request turned into the proof it carries. */

import type { z } from "zod";
import { DomainError } from "../base/errors.ts";
import type { ClientProof } from "../tokens/client_proof.ts";
import { readBasic } from "./basic.ts";
import { invalid, validate } from "./parsed_body.ts";
import { ClientForm, JWT_BEARER } from "./schemas.ts";

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
  const { client_id: id, client_secret: secret, ...asserted } = validate(
    ClientForm,
    Object.fromEntries(form),
  );
  const assertion = readAssertion(asserted);
  if ([basic, secret, assertion].filter((proof) => proof !== undefined).length > 1) {
    throw invalid("Only one way to authenticate may be used (RFC 6749 §2.3)");
  }
  if (assertion !== undefined) return { method: "assertion", assertion, clientId: id };
  if (basic !== undefined) {
    const credentials = { username: decode(basic.username), password: decode(basic.password) };
    if (id === undefined || id === credentials.username) return { method: "password", credentials };
    throw invalid("The client_id and the Authorization header name two clients");
  }
  if (id && secret) return { method: "password", credentials: { username: id, password: secret } };
  throw new DomainError("invalid_credentials", "The client is not authenticated");
}

function readAssertion(
  { client_assertion_type: type, client_assertion: assertion }: Pick<
    z.infer<typeof ClientForm>,
    "client_assertion_type" | "client_assertion"
  >,
): string | undefined {
  if (type === undefined && assertion === undefined) return undefined;
  if (type !== JWT_BEARER) throw invalid(`The client_assertion_type must be ${JWT_BEARER}`);
  if (assertion === undefined) throw invalid("The client_assertion is missing");
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
