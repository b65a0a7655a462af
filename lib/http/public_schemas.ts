/** What anybody may read, as schemas: the keys, the metadata, the health. */

import { z } from "zod";
import { AUTHENTICATION_METHODS } from "./client_authentication.ts";
import {
  ALGORITHM_NAMES,
  type KeyType,
  publicMembers,
  SIGNING_ALGORITHMS,
} from "../keys/algorithms.ts";

/** A member of a JWK that is a number or a sequence of bytes (RFC 7515 §2). */
const Base64Url = z.string().regex(/^[A-Za-z0-9_-]+$/);

/** The public members of a key of this type, and no others. */
function jwkOf<Type extends KeyType>(kty: Type) {
  const algorithms = ALGORITHM_NAMES.filter((name) => SIGNING_ALGORITHMS[name].kty === kty);
  const curves = algorithms.map((name) => SIGNING_ALGORITHMS[name].crv).filter(isDefined);
  const member = (name: string) => name === "crv" ? z.enum(curves) : Base64Url;
  return z.object({
    kty: z.literal(kty),
    kid: z.string().describe("What the header of a token names its key by."),
    use: z.literal("sig"),
    alg: z.enum(algorithms),
    ...Object.fromEntries(publicMembers(kty).map((name) => [name, member(name)])),
  }).meta({ title: `A key of the type ${kty}` });
}

function isDefined<Value>(value: Value | undefined): value is Value {
  return value !== undefined;
}

/** A public key (RFC 7517 §4, RFC 7518 §6, RFC 8037 §2, RFC 9964 §3). */
export const Jwk = z.discriminatedUnion("kty", [
  jwkOf("RSA"),
  jwkOf("EC"),
  jwkOf("OKP"),
  jwkOf("AKP"),
]).describe("A public key (RFC 7517 §4).");

/** The answer of `/.well-known/jwks.json` (RFC 7517 §5). */
export const JwkSet = z.object({ keys: z.array(Jwk).min(1) })
  .describe("The keys that verify tokens, the one that signs next among them (RFC 7517 §5).");

const Methods = z.array(z.enum(AUTHENTICATION_METHODS));
const Algorithms = z.array(z.enum(ALGORITHM_NAMES));

/** What the server says of itself (RFC 8414 §2, OpenID Connect Discovery 1.0 §3, RFC 9449 §5.1). */
export const ServerMetadata = z.object({
  issuer: z.url().describe("What the claim iss of tokens is."),
  token_endpoint: z.url(),
  jwks_uri: z.url(),
  introspection_endpoint: z.url(),
  grant_types_supported: z.array(z.literal("client_credentials")),
  response_types_supported: z.array(z.string()).max(0),
  token_endpoint_auth_methods_supported: Methods,
  token_endpoint_auth_signing_alg_values_supported: Algorithms,
  introspection_endpoint_auth_methods_supported: Methods,
  introspection_endpoint_auth_signing_alg_values_supported: Algorithms,
  dpop_signing_alg_values_supported: Algorithms,
  subject_types_supported: z.array(z.literal("public")),
  id_token_signing_alg_values_supported: Algorithms,
}).describe("What a client has to know of this server (RFC 8414 §2).");
export type ServerMetadata = z.infer<typeof ServerMetadata>;

/** The answer of `/healthz` and `/readyz` when all is well. */
export const Health = z.object({ status: z.literal("ok") });
export type Health = z.infer<typeof Health>;
