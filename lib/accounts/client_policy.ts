/** What a client may ask for: its policy, and what of a request it grants. */

import { z } from "zod";
import { DomainError, isDomainError } from "../base/errors.ts";
import { isStringOrUri, SCOPE_TOKEN } from "./policy_text.ts";

/** How many scopes and audiences a client may have, and the size of its claims in bytes of JSON. */
export const POLICY_BOUNDS = { scopes: 64, audiences: 64, claims: 4096 } as const;

/** The claims that the server sets: a client's own must not take their place. */
const RESERVED_CLAIMS: ReadonlySet<string> = new Set([
  ...["iss", "sub", "aud", "exp", "nbf", "iat", "jti"], // RFC 7519 §4.1
  ...["client_id", "scope", "auth_time", "acr", "amr"], // RFC 9068 §2.2
  "cnf", // RFC 7800 §3.1
]);

const Claims = z.record(z.string(), z.json()).superRefine((claims, context) => {
  for (const name of Object.keys(claims)) {
    if (!RESERVED_CLAIMS.has(name)) continue;
    const message = `the claim ${name} is set by the server`;
    context.addIssue({ code: "custom", message, path: [name] });
  }
  const { length } = new TextEncoder().encode(JSON.stringify(claims));
  if (length <= POLICY_BOUNDS.claims) return;
  const message = `claims must have at most ${POLICY_BOUNDS.claims} bytes as JSON, not ${length}`;
  context.addIssue({ code: "custom", message });
});

/** The policy of a client. What is not said is as without a policy. */
export const ClientPolicy = z.strictObject({
  /** The scopes it may have (RFC 6749 §3.3). */
  scopes: z.array(
    z.string().max(256).regex(SCOPE_TOKEN, 'a scope is printable ASCII without space, " and \\'),
  ).max(POLICY_BOUNDS.scopes).default([]),
  /** The audiences it may have (RFC 7519 §4.1.3), the default one first; none: the server's. */
  audiences: z.array(
    z.string().max(1024).refine(isStringOrUri, "an audience with a colon must be a URI"),
  ).max(POLICY_BOUNDS.audiences).default([]),
  /** Additional claims of its tokens. */
  claims: Claims.default({}),
  /** The life of its tokens, in seconds; when it is not there, the server's. */
  tokenTtl: z.int().positive().optional(),
  /** Whether its tokens must be bound to a key (RFC 9449). */
  requireDpop: z.boolean().default(false),
  note: z.string().max(1024).optional(),
});
export type ClientPolicy = z.infer<typeof ClientPolicy>;

/**
 * The policy as it is stored; without one, that of a client that has none.
 *
 * @throws {DomainError} `database_unusable` when what is stored is no policy: none is granted then.
 */
export function parsePolicy(stored: string | undefined, username: string): ClientPolicy {
  if (stored === undefined) return ClientPolicy.parse({});
  const result = ClientPolicy.safeParse(parseJson(stored));
  if (result.success) return result.data;
  throw new DomainError(
    "database_unusable",
    `The policy of the user ${username} in the table client_policies is none`,
    { hints: ["set the policy of the user anew, or restore a backup; nothing was changed"] },
  );
}

/** The same, but `undefined` for what is damaged: setting the policy anew is the remedy. */
export function parseIntactPolicy(
  stored: string | undefined,
  username: string,
): ClientPolicy | undefined {
  try {
    return parsePolicy(stored, username);
  } catch (error) {
    if (isDomainError(error, "database_unusable")) return undefined;
    throw error;
  }
}

/**
 * The scopes that a request gets: those it names, or all it may have when it names none (RFC 6749
 * §3.3), each once. They are never fewer than what was asked for.
 *
 * @param requested the parameter `scope` as it was sent.
 * @throws {DomainError} `invalid_scope` when it is malformed, or more than the policy allows.
 */
export function grantScope(
  { scopes }: Pick<ClientPolicy, "scopes">,
  requested: string | undefined,
): string[] {
  if (!requested) return [...new Set(scopes)]; // sent without a value is not sent (§3.2)
  const asked = requested.split(" ");
  if (!asked.every((scope) => SCOPE_TOKEN.test(scope))) {
    throw new DomainError("invalid_scope", "scope must be a list of scopes, one space between two");
  }
  if (!asked.every((scope) => scopes.includes(scope))) {
    throw new DomainError("invalid_scope", "The scope exceeds what this client may have");
  }
  return [...new Set(asked)];
}

/**
 * The audiences of the token that a request gets: those it names, each once, or the client's default
 * when it names none. A client whose policy names no audience may have `defaultAudience` alone.
 *
 * @param requested the values of `resource` (RFC 8707 §2) or `audience`, as they were sent.
 * @throws {DomainError} `invalid_target` when the policy does not allow one of them.
 */
export function grantAudience(
  { audiences }: Pick<ClientPolicy, "audiences">,
  requested: readonly string[],
  defaultAudience: string,
): string[] {
  const [preferred = defaultAudience] = audiences;
  if (requested.length === 0) return [preferred];
  const allowed = audiences.length === 0 ? [defaultAudience] : audiences;
  if (!requested.every((audience) => allowed.includes(audience))) {
    throw new DomainError("invalid_target", "This client may not have a token for this audience");
  }
  return [...new Set(requested)];
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined; // no policy, which the schema says
  }
}
