/** The route of a request by a name, of which there are only a few whatever clients ask for. */

import { issuerPath, metadataPaths, pagePaths } from "./metadata.ts";
import { pathOf } from "./path.ts";

/** Every route, without the path of the issuer. */
export const ROUTES = [
  "/",
  "/.well-known/jwks.json",
  "/.well-known/oauth-authorization-server",
  "/.well-known/openid-configuration",
  "/register",
  "/auth",
  "/token",
  "/introspect",
  "/password",
  "/healthz",
  "/readyz",
  "/openapi.json",
] as const;

export type RouteName = (typeof ROUTES)[number] | "other";

const METHODS = new Set(["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"]);

/** Makes the function that names the route of a request to this issuer's server. */
export function createRouteName(issuer: string): (request: Request) => RouteName {
  const base = issuerPath(issuer);
  const names = new Map<string, RouteName>();
  for (const route of ROUTES) {
    names.set(route, route);
    names.set(`${base}${route}`, route);
  }
  for (const path of pagePaths(issuer)) names.set(path, "/");
  const [authorizationServer, openid] = metadataPaths(issuer);
  names.set(authorizationServer, "/.well-known/oauth-authorization-server");
  names.set(openid, "/.well-known/openid-configuration");
  return (request) => names.get(pathOf(request)) ?? "other";
}

/** The method of a request, or `other` for one that no route knows. */
export function methodName(request: Request): string {
  return METHODS.has(request.method) ? request.method : "other";
}
