/** What tells one request from others in the log: an id of its own, and the trace it belongs to. */

import type { Context, MiddlewareHandler } from "hono";
import type { LogFields } from "../base/log.ts";
import type { AppEnv, RequestIdentity } from "./environment.ts";

/**
 * Gives each request a random id, which is in every line of the log that it leads to. None is taken
 * from outside, where anybody could repeat one; and none is sent, so that equal answers stay equal.
 */
export function identify(): MiddlewareHandler<AppEnv> {
  return async function identify(context, next) {
    const traceId = readTraceId(context.req.raw.headers.get("traceparent"));
    context.set("request", { id: crypto.randomUUID(), traceId });
    await next();
  };
}

/** The fields of a line about a request that was identified; none of one that was not. */
export function requestFields(context: Context<AppEnv>): LogFields {
  const request: RequestIdentity | undefined = context.get("request");
  if (request === undefined) return {};
  const { id, traceId } = request;
  return { request_id: id, ...(traceId === undefined ? {} : { trace_id: traceId }) };
}

/** W3C Trace Context §3.2.2, version 00: a trace, a span that is not all zeros either, and flags. */
const TRACEPARENT = /^00-(?!0{32})([0-9a-f]{32})-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}$/;

/** The trace in a header `traceparent`; `undefined` when it is malformed, or not there. */
export function readTraceId(traceparent: string | null): string | undefined {
  return traceparent === null ? undefined : TRACEPARENT.exec(traceparent)?.[1];
}
