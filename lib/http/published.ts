/** What anybody may read, pages of any origin included: how it is answered, and the documents among it. */

import type { Context, Handler, Hono } from "hono";
import type { KeyRing } from "../keys/key_ring.ts";
import { metadataResponse, preflightResponse } from "./conditional_response.ts";
import type { AppEnv } from "./environment.ts";
import { type Metadata, metadataPaths, prepareDocument, prepareMetadata } from "./metadata.ts";
import { describeApi } from "./openapi/document.ts";
import { methodNotAllowed } from "./response.ts";

/** What the documents tell of. */
export interface DocumentedParts {
  ring: Pick<KeyRing, "policy">;
  /** The URL of this server, exactly as in the tokens' `iss`. */
  issuerUrl: string;
  /** Where the JWK set is, when not below the issuer. */
  jwksUri: string | undefined;
  /** Whether `POST /register` is open. */
  registration: boolean;
  /** Whether `POST /auth` gives expired tokens on request. */
  expiredTokens: boolean;
  /** Whether there is a page for people. */
  page: boolean;
  /** What gives test tokens, where there are any. */
  testTokens?: unknown;
  /** Whether the server is another issuer to who asks another Host. */
  variesByHost?: boolean | undefined;
}

/** Adds the metadata at its places. */
export function addMetadata(
  app: Hono<AppEnv>,
  { issuerUrl, jwksUri, ring: { policy: { alg } }, variesByHost }: DocumentedParts,
): void {
  const metadata = prepareMetadata({ issuer: issuerUrl, jwksUri, alg, variesByHost });
  for (const path of metadataPaths(issuerUrl)) {
    app.all(path, document(() => metadata));
  }
}

/** Makes what gives the description of the server, which is made when it is first asked for. */
export function createDescription(parts: DocumentedParts): () => Metadata {
  const { issuerUrl: issuer, jwksUri, ring, registration, expiredTokens, variesByHost } = parts;
  const { alg } = ring.policy;
  const has = { registration, expiredTokens, page: parts.page, testTokens: !!parts.testTokens };
  let made: Metadata | undefined;
  return () =>
    made ??= prepareDocument(describeApi({ issuer, jwksUri, alg, ...has }), variesByHost);
}

/** A handler of all methods of a document that anybody may read. */
export function document(prepared: () => Metadata): Handler<AppEnv> {
  return published(({ req }) => metadataResponse(prepared(), req.raw.headers.get("if-none-match")));
}

/**
 * A handler of all methods of what anybody may read; any OPTIONS but the preflight of a page of
 * another origin is none of its business. Where it is the only one, Hono has the answer at once.
 */
export function published(answer: (context: Context<AppEnv>) => Response): Handler<AppEnv> {
  return (context) => {
    const { method, headers } = context.req.raw;
    if (method === "GET" || method === "HEAD") return answer(context);
    const isPreflight = method === "OPTIONS" && headers.has("access-control-request-method");
    return isPreflight ? preflightResponse() : methodNotAllowed("GET, HEAD");
  };
}
