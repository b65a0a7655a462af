/** What the server says of itself, as it is described. */

import { headers, PUBLISHED, UNSTORED } from "./headers.ts";
import { IF_NONE_MATCH } from "./parameters.ts";
import { type ApiOptions, json, type Route } from "./route.ts";

export function serverRoutes({ page }: ApiOptions): Route[] {
  return [
    health("/healthz", "getLiveness", "Whether the process is up", "It answers."),
    health("/readyz", "getReadiness", "Whether the server can do its work", "It can."),
    {
      path: "/openapi.json",
      method: "get",
      id: "getDescription",
      tag: "server",
      summary: "This description",
      description: "What clients can be generated from.",
      parameters: [IF_NONE_MATCH],
      answer: {
        status: 200,
        description: "A document of OpenAPI 3.1.",
        contents: [{
          type: "application/json",
          schema: {
            type: "object",
            properties: {
              openapi: { type: "string" },
              info: { type: "object" },
              paths: { type: "object" },
            },
            required: ["openapi", "info", "paths"],
            additionalProperties: true,
          },
          example: {
            openapi: "3.1.1",
            info: { title: "jwks-server", version: "1.0.0" },
            paths: {},
          },
        }],
        headers: PUBLISHED,
      },
      isConditional: true,
      errors: [],
    },
    ...page ? [PAGE] : [],
  ];
}

function health(path: string, id: string, summary: string, description: string): Route {
  return {
    path,
    method: "get",
    id,
    tag: "server",
    summary,
    description: "For those who watch the server, and for load balancers.",
    answer: {
      status: 200,
      description,
      contents: [json("Health", { status: "ok" })],
      headers: UNSTORED,
    },
    errors: [],
  };
}

const HTML = { type: "text/html", schema: { type: "string" }, example: "<!doctype html>" };

const PAGE: Route = {
  path: "/",
  method: "get",
  id: "getPage",
  tag: "server",
  summary: "A page for people",
  description: "Shows the keys, and lets one try what the server does.",
  parameters: [IF_NONE_MATCH],
  answer: {
    status: 200,
    description: "The page.",
    contents: [HTML],
    headers: headers({ "X-Content-Type-Options": "NoSniff", "ETag": "ETag" }),
  },
  isConditional: true,
  unready: HTML,
  errors: [],
};
