/** What verifiers read, as it is described. */

import { describeServer, issuerPath, metadataPaths } from "../metadata.ts";
import { KEY } from "./examples.ts";
import { PUBLISHED } from "./headers.ts";
import { IF_NONE_MATCH } from "./parameters.ts";
import { type ApiOptions, json, type Route } from "./route.ts";

export function keyRoutes(options: ApiOptions): Route[] {
  return [
    {
      path: "/.well-known/jwks.json",
      method: "get",
      id: "getJwks",
      tag: "keys",
      summary: "The keys that verify tokens",
      description:
        "The JWK set (RFC 7517 §5). A key is published before it signs and for as long " +
        "as one of its tokens is valid: caches need to ask no more often than Cache-Control says.",
      parameters: [IF_NONE_MATCH],
      answer: {
        status: 200,
        description: "The keys.",
        contents: [json("JwkSet", { keys: [KEY] }, "application/jwk-set+json")],
        headers: PUBLISHED,
      },
      isConditional: true,
      errors: [],
    },
    ...metadataRoutes(options),
  ];
}

/** The one document at its two places, of which the first may lie above the issuer. */
function metadataRoutes(options: ApiOptions): Route[] {
  const [authorizationServer, openid] = metadataPaths(options.issuer);
  const base = issuerPath(options.issuer);
  const common: Omit<Route, "path" | "id" | "summary"> = {
    method: "get",
    tag: "keys",
    description: "Where everything is, and what the server can do: a client needs the issuer's " +
      "URL and nothing else.",
    parameters: [IF_NONE_MATCH],
    answer: {
      status: 200,
      description: "The metadata.",
      contents: [json("ServerMetadata", describeServer(options))],
      headers: PUBLISHED,
    },
    isConditional: true,
    errors: [],
  };
  return [
    {
      ...common,
      path: authorizationServer,
      id: "getAuthorizationServerMetadata",
      summary: "The metadata, where OAuth looks for it (RFC 8414 §3)",
      ...(base === "" ? {} : { server: new URL(options.issuer).origin }),
    },
    {
      ...common,
      path: openid.slice(base.length),
      id: "getOpenidConfiguration",
      summary: "The metadata, where OpenID Connect looks for it",
    },
  ];
}
