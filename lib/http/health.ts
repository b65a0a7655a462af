/** The routes that say whether the process is up and whether it can do its work. */

import { Hono } from "hono";
import { DomainError } from "../base/errors.ts";
import type { AppEnv } from "./environment.ts";
import { errorResponse, methodNotAllowed, okResponse } from "./response.ts";

/** Says what keeps the server from its work just now, in words for anybody; `undefined`: nothing. */
export type FindHindrance = () => Promise<string | undefined>;

export const LIVENESS = "/healthz";
export const READINESS = "/readyz";

/** Builds `/healthz`, which answers whatever else is wrong, and `/readyz`. */
export function createHealthRoutes(findHindrance: FindHindrance): Hono<AppEnv> {
  const routes = new Hono<AppEnv>();
  routes.get(LIVENESS, () => okResponse());
  routes.get(READINESS, async () => {
    const hindrance = await findHindrance();
    if (hindrance === undefined) return okResponse();
    return errorResponse(new DomainError("overloaded", hindrance, { retryAfter: 1 }));
  });
  for (const path of [LIVENESS, READINESS]) routes.all(path, () => methodNotAllowed("GET, HEAD"));
  return routes;
}
