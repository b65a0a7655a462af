/**
 * What the server says of itself (RFC 8414, OpenID Connect Discovery 1.0): only what is true, so that
 * a client needs the issuer's URL and nothing else.
 */

import { entityTag } from "../base/bytes.ts";
import { ALGORITHM_NAMES, type SigningAlgorithm } from "../keys/algorithms.ts";
import { AUTHENTICATION_METHODS } from "./client_authentication.ts";
import type { ServerMetadata } from "./public_schemas.ts";

export interface MetadataOptions {
  /** Exactly as in the tokens' `iss`. */
  issuer: string;
  /** Where the JWK set is, when not below the issuer. */
  jwksUri: string | undefined;
  /** The algorithm that new keys are made for. */
  alg: SigningAlgorithm;
  /** Whether another Host gets another document. */
  variesByHost?: boolean | undefined;
}

/** A document that does not change while the server runs. */
export interface Metadata {
  body: Uint8Array<ArrayBuffer>;
  /** A strong entity tag, quoted. */
  etag: string;
  variesByHost: boolean;
}

/** The paths at which clients look for the metadata of an issuer with this path, if it has one. */
export function metadataPaths(
  issuer: string,
): readonly [authorizationServer: string, openid: string] {
  const path = issuerPath(issuer);
  return [
    `/.well-known/oauth-authorization-server${path}`, // RFC 8414 §3.1
    `${path}/.well-known/openid-configuration`, // OpenID Connect Discovery 1.0 §4
  ];
}

/** The paths of the page of an issuer with this path, with a slash at its end and without. */
export function pagePaths(issuer: string): readonly string[] {
  const path = issuerPath(issuer);
  return path === "" ? ["/"] : ["/", path, `${path}/`];
}

/** The path of an issuer, without a slash at its end. */
export function issuerPath(issuer: string): string {
  return new URL(issuer).pathname.replace(/\/$/, "");
}

/** The metadata of this server. */
export function describeServer({ issuer, jwksUri, alg }: MetadataOptions): ServerMetadata {
  const base = issuer.replace(/\/$/, "");
  return {
    issuer,
    token_endpoint: `${base}/token`,
    jwks_uri: jwksUri ?? `${base}/.well-known/jwks.json`,
    introspection_endpoint: `${base}/introspect`,
    grant_types_supported: ["client_credentials"],
    response_types_supported: [],
    token_endpoint_auth_methods_supported: [...AUTHENTICATION_METHODS],
    token_endpoint_auth_signing_alg_values_supported: [...ALGORITHM_NAMES],
    introspection_endpoint_auth_methods_supported: [...AUTHENTICATION_METHODS],
    introspection_endpoint_auth_signing_alg_values_supported: [...ALGORITHM_NAMES],
    dpop_signing_alg_values_supported: [...ALGORITHM_NAMES],
    subject_types_supported: ["public"],
    id_token_signing_alg_values_supported: [alg],
  };
}

export function prepareMetadata(options: MetadataOptions): Metadata {
  return prepareDocument(describeServer(options), options.variesByHost);
}

/** Makes what is served of a document that does not change. */
export function prepareDocument(document: object, variesByHost = false): Metadata {
  const body = new TextEncoder().encode(JSON.stringify(document));
  return { body, etag: entityTag(body), variesByHost };
}
