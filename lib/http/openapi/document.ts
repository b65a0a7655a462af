/** The description of this server in OpenAPI 3.1, for people, tools and generators of clients. */

import project from "../../../deno.json" with { type: "json" };
import { clientRoutes } from "./client_routes.ts";
import { describeSchemas } from "./components.ts";
import { errorTable } from "./errors.ts";
import { COMMON_HEADERS } from "./headers.ts";
import { keyRoutes } from "./key_routes.ts";
import { oauthRoutes } from "./oauth_routes.ts";
import { pathItem } from "./operation.ts";
import { type ApiOptions, type Json, TAGS } from "./route.ts";
import { serverRoutes } from "./server_routes.ts";

/** A document of OpenAPI 3.1, as far as this server has to know it. */
export interface ApiDocument {
  openapi: string;
  servers: readonly { url: string }[];
  paths: Record<string, Json>;
  components: Record<string, Record<string, Json>>;
  [member: string]: unknown;
}

/** Describes a server, and only what it has. */
export function describeApi(options: ApiOptions): ApiDocument {
  const base = options.issuer.replace(/\/$/, "");
  const routes = [
    ...keyRoutes(options),
    ...clientRoutes(options),
    ...oauthRoutes(options),
    ...serverRoutes(options),
  ];
  return {
    openapi: "3.1.1",
    info: {
      title: "jwks-server",
      version: project.version,
      summary: "Tokens for clients, and the keys that verify them",
      description: DESCRIPTION,
      contact: { name: "Whoever runs this server", url: options.issuer },
      license: { name: "MIT", identifier: "MIT" },
    },
    servers: [{ url: base }],
    tags: Object.entries(TAGS).map(([name, description]) => ({ name, description })),
    security: [{}],
    paths: Object.fromEntries(routes.map((route) => [route.path, pathItem(route)])),
    components: {
      schemas: describeSchemas(options),
      headers: { ...COMMON_HEADERS },
      securitySchemes: SECURITY_SCHEMES,
    },
  };
}

/** What holds for every route, as Markdown. */
const DESCRIPTION = `\
Registers clients, checks their credentials, signs JSON Web Tokens (RFC 7519) and publishes the
public keys that verify them (RFC 7517).

Bodies have at most 8192 bytes, in UTF-8, and arrive within 10 seconds. No name in a JSON object, no
parameter of a query and no field of a form is repeated, and no credentials stand in the query. What
is published (the keys, the metadata, this description) is there for pages of any origin (CORS).

Every error has one shape. A path that is not described is \`not_found\`, and a method that a path
does not have is \`method_not_allowed\`:

${errorTable()}

None of the routes takes a token. A service that takes the tokens of this server tells so in its own
description: \`type: oauth2\` with the flow \`clientCredentials\`, whose \`tokenUrl\` is \`/token\` here.
`;

const SECURITY_SCHEMES: Record<string, Json> = {
  basic: {
    type: "http",
    scheme: "basic",
    description: "The username and the password (RFC 7617). At the endpoints of OAuth each is " +
      "encoded as in a form first (RFC 6749 §2.3.1); no name and no password that this server " +
      "gives is changed by that, but for the sign +.",
  },
};
