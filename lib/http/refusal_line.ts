/** What the log says, for who wants to know all of it, of requests that were refused. */

import type { MiddlewareHandler } from "hono";
import { isDomainError } from "../base/errors.ts";
import type { Log } from "../base/log.ts";
import type { ClientAddress } from "../base/ip_address.ts";
import type { AppEnv } from "./environment.ts";
import { refusalFields } from "./refusal_fields.ts";
import { requestFields } from "./request_context.ts";
import { methodName, type RouteName } from "./route_name.ts";

/**
 * Leaves a line of level debug for each request to `route` that is answered with a status of 400 to
 * 499. It holds what the client is told, which quotes nothing, and why, as far as that is known.
 */
export function tellRefusal(route: RouteName, log: Log): MiddlewareHandler<AppEnv> {
  return async function tellRefusal(context, next) {
    await next();
    const { error, req, res: { status } } = context;
    if (status < 400 || status > 499) return;
    const client: ClientAddress | undefined = context.get("client"); // none before the rate limit
    log.debug("a request was refused", {
      ...requestFields(context),
      ...{ route, method: methodName(req.raw), status },
      ...(client === undefined ? {} : { address: client.ip }),
      ...refusalFields(error),
      ...(isDomainError(error) ? { description: error.message } : {}),
    });
  };
}
