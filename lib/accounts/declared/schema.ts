/** What may stand in a file of clients. */

import { z } from "zod";
import { formatDuration, parseDuration } from "../../base/duration.ts";
import { isDomainError } from "../../base/errors.ts";
import { ClientPolicy } from "../client_policy.ts";
import type { ClientKey } from "../client_records.ts";
import { parsePhc } from "../phc.ts";
import { Registration } from "../registration.ts";

export interface SchemaParts {
  /**
   * The key as it is stored: public members only, with its kid.
   *
   * @throws {DomainError} `key_refused`, in words that do not quote the key.
   */
  checkKey: (jwk: Readonly<Record<string, unknown>>) => Promise<ClientKey>;
  /** The longest life of a client's tokens, in seconds: the server's. */
  tokenTtl: number;
}

/** The JSON Schema of the file (draft 2020-12). */
export function declarationJsonSchema(): unknown {
  const checkKey = () => Promise.reject(new Error("The schema is only described"));
  return z.toJSONSchema(createDeclarationSchema({ checkKey, tokenTtl: 0 }), { io: "input" });
}

/** A schema of the whole file; password files are named in it, not read. */
export function createDeclarationSchema(parts: SchemaParts) {
  const client = z.strictObject({
    username: Registration.shape.username,
    email: Registration.shape.email.optional()
      .describe("without it, a new client has none and an existing one keeps its own"),
    password_hash: z.string().refine(
      (text) => parsePhc(text) !== undefined,
      "must be an Argon2id hash in PHC form, of version 19 and at a cost within the bounds",
    ).optional().describe("an Argon2id hash in PHC form"),
    password_file: z.string().min(1).optional()
      .describe("a file that holds the password, relative to this one"),
    keys: z.array(keySchema(parts)).superRefine(refuseRepeatedKeys).default([])
      .describe("public JWKs (RFC 7517): the client has these and no other keys"),
    policy: policySchema(parts).optional()
      .describe("what is not named is as for a new user, and so without a policy"),
    disabled: z.boolean().optional().describe("without it, an existing client stays as it is"),
  });
  return z.strictObject({
    $schema: z.string().optional().describe("for editors"),
    clients: z.array(client),
  });
}

/** A client of the file that was found to be right. */
export type DeclaredMembers = z.output<
  ReturnType<typeof createDeclarationSchema>
>["clients"][number];

function keySchema({ checkKey }: SchemaParts) {
  return z.record(z.string(), z.unknown()).transform(async (jwk, context): Promise<ClientKey> => {
    try {
      return await checkKey(jwk);
    } catch (error) {
      if (!isDomainError(error)) throw error;
      context.addIssue({ code: "custom", message: error.message });
      return z.NEVER;
    }
  });
}

/** Neither a kid nor a key may stand twice: one of the two would outlive the removal of the other. */
function refuseRepeatedKeys(keys: readonly ClientKey[], context: z.RefinementCtx): void {
  const kids = new Set<string>();
  const values = new Set<string>();
  for (const [index, key] of keys.entries()) {
    if (key?.kid === undefined) continue; // a key that was refused is none
    const { kid, ...members } = key;
    const value = JSON.stringify(members);
    if (kids.has(kid)) {
      const message = `another key of this client has the kid ${kid}`;
      context.addIssue({ code: "custom", path: [index, "kid"], message });
    } else if (values.has(value)) {
      const message = "another kid of this client has the same key";
      context.addIssue({ code: "custom", path: [index], message });
    }
    kids.add(kid);
    values.add(value);
  }
}

function policySchema(parts: SchemaParts) {
  const { scopes, audiences, claims, requireDpop, note } = ClientPolicy.shape;
  return z.strictObject({
    scopes,
    audiences,
    claims,
    token_ttl: lifeSchema(parts).optional(),
    require_dpop: requireDpop,
    note,
  }).transform(({ token_ttl, require_dpop, note, ...policy }): ClientPolicy => ({
    ...policy,
    requireDpop: require_dpop,
    ...token_ttl === undefined ? {} : { tokenTtl: token_ttl },
    ...note === undefined ? {} : { note },
  }));
}

function lifeSchema({ tokenTtl }: SchemaParts) {
  return z.string().describe("a duration such as 45s, 15m or 1h, at most TOKEN_TTL").transform(
    (text, context): number => {
      const seconds = parseDuration(text);
      if (seconds !== undefined && seconds > 0 && seconds <= tokenTtl) return seconds;
      const message = `must be a duration such as 15m, at most ${formatDuration(tokenTtl)}, ` +
        "the TOKEN_TTL of the server";
      context.addIssue({ code: "custom", message });
      return z.NEVER;
    },
  );
}
