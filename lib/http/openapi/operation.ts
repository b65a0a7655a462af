/** A route as OpenAPI's path item. */

import { errorResponses, EVERYWHERE } from "./errors.ts";
import { type Answer, contentOf, type Json, type Route } from "./route.ts";

/** The operations of a route: the one that it names and, where that is GET, HEAD. */
export function pathItem(route: Route): Json {
  const server = route.server === undefined ? {} : { servers: [{ url: route.server }] };
  const { method } = route;
  if (method === "post") return { ...server, post: operation(route) };
  return { ...server, get: operation(route), head: withoutBodies(operation(route)) };
}

function operation(route: Route) {
  const { id, tag, summary, description, security, parameters, request } = route;
  return {
    operationId: id,
    tags: [tag],
    summary,
    description,
    ...security === undefined ? {} : { security },
    ...parameters === undefined ? {} : { parameters },
    ...request === undefined ? {} : {
      requestBody: { required: request.isRequired, content: contentOf(request.contents) },
    },
    responses: responsesOf(route),
  };
}

function responsesOf({ answer, isConditional, unready, errors }: Route): Record<string, Json> {
  return {
    [answer.status]: responseOf(answer),
    ...isConditional ? { 304: notModified(answer) } : {},
    ...errorResponses([...errors, ...EVERYWHERE], unready === undefined ? [] : [unready]),
  };
}

function responseOf({ description, headers, contents }: Answer): Json {
  return { description, headers, content: contentOf(contents) };
}

function notModified({ headers }: Answer): Json {
  return { description: "The client holds it already.", headers };
}

/** HEAD is answered as GET is, without the body (RFC 9110 §9.3.2). */
function withoutBodies(get: ReturnType<typeof operation>): Json {
  const responses = Object.entries(get.responses).map(([status, response]) => {
    const { content: _, ...head } = response;
    return [status, head];
  });
  return {
    ...get,
    operationId: `${get.operationId}Head`,
    summary: `The headers of: ${get.summary}`,
    responses: Object.fromEntries(responses),
  };
}
