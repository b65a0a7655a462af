/** The routes of the listener for those who watch the server: its metrics, and its health. */

import { Hono } from "hono";
import { DomainError } from "../base/errors.ts";
import type { Log } from "../base/log.ts";
import type { AppEnv } from "./environment.ts";
import { createHealthRoutes, type FindHindrance } from "./health.ts";
import { errorResponse, failureResponse, methodNotAllowed, metricsResponse } from "./response.ts";

export interface MetricsAppParts {
  /** The metrics as text, of the type that is named beside it. */
  render: () => Promise<string>;
  contentType: string;
  findHindrance: FindHindrance;
  log: Log;
}

export function createMetricsApp({ render, contentType, ...parts }: MetricsAppParts): Hono<AppEnv> {
  const app = new Hono<AppEnv>();
  app.get("/metrics", async () => metricsResponse(await render(), contentType));
  app.all("/metrics", () => methodNotAllowed("GET, HEAD"));
  app.route("/", createHealthRoutes(parts.findHindrance));
  app.notFound(() => errorResponse(new DomainError("not_found", "There is nothing at this path")));
  app.onError((error) => failureResponse(error, parts.log));
  return app;
}
