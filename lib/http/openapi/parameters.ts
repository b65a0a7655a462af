/** The parameters of requests that stand beside their bodies. */

import { z } from "zod";
import { TestParameters } from "../schemas.ts";
import { ENTITY_TAG } from "./examples.ts";
import type { Json } from "./route.ts";

/** Asks whether what the client holds is still what there is. */
export const IF_NONE_MATCH: Json = {
  name: "If-None-Match",
  in: "header",
  description: "The ETag of the answer that the client holds (RFC 9110 §13.1.2).",
  schema: { type: "string" },
  example: ENTITY_TAG,
};

/** Names the trace that a request belongs to. */
export const TRACEPARENT: Json = {
  name: "traceparent",
  in: "header",
  description: "The trace that the request belongs to (W3C Trace Context); the log names it.",
  schema: { type: "string" },
  example: "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
};

/** Proves the key that a token is to be bound to. */
export const DPOP: Json = {
  name: "DPoP",
  in: "header",
  description: "Proves the key that the token is to be bound to: a JWT (RFC 9449 §4.2).",
  schema: { type: "string", pattern: "^[A-Za-z0-9_-]+\\.[A-Za-z0-9_-]+\\.[A-Za-z0-9_-]+$" },
};

/** Asks for a token that has expired. */
export const EXPIRED: Json = {
  name: "expired",
  in: "query",
  description: "Whether to give a token that has expired, signed by a key that is not published.",
  schema: { type: "boolean" },
};

/** What asks for a test token; there only where there are such tokens. */
export const TEST_TOKENS: readonly Json[] = Object.entries(TestParameters.shape).map(
  ([name, schema]) => {
    const { $schema: _, description, ...said } = z.toJSONSchema(schema, { io: "input" });
    // What is no text in JSON is JSON in a query, too.
    const value = said.type === "object"
      ? { content: { "application/json": { schema: said } } }
      : { schema: said };
    return { name, in: "query", description, ...value };
  },
);
