/**
 * A server that is known by several URLs, and is an issuer under each of them, with the same keys: a
 * request is answered as the issuer that it names. Whoever sends a request then says who signs.
 */

import { DomainError, isDomainError } from "../base/errors.ts";
import type { Handler } from "./gate.ts";
import { authorityOf, isValidHost } from "./host.ts";
import { errorResponse } from "./response.ts";

export interface RequestIssuerParts {
  /** What the server itself speaks. */
  scheme: "http" | "https";
  /** Whether the socket's peer is a proxy that says the truth of how it was asked. */
  isTrustedProxy: (peer: string) => boolean;
  /** Makes what answers as one issuer. */
  handlerOf: (issuer: string) => Handler;
}

/** As how many issuers it can answer without making their handlers anew. */
const REMEMBERED_ISSUERS = 32;

/** Makes the handler that answers each request as the issuer that it names. */
export function createRequestIssuerHandler(parts: RequestIssuerParts): Handler {
  const handlers = new Map<string, Handler>();
  const handlerOf = (issuer: string) => {
    const handler = handlers.get(issuer) ?? parts.handlerOf(issuer);
    handlers.delete(issuer);
    handlers.set(issuer, handler); // the last one: the first is the one that was needed longest ago
    const [oldest] = handlers.keys();
    if (handlers.size > REMEMBERED_ISSUERS) handlers.delete(oldest!);
    return handler;
  };

  return (request, info) => {
    try {
      return handlerOf(issuerOf(request, info, parts))(request, info);
    } catch (error) {
      if (isDomainError(error)) return errorResponse(error);
      throw error;
    }
  };
}

/**
 * The URL by which the client knows the server: that of the request, in its normal form, or what a
 * trusted proxy says in `X-Forwarded-Proto` and `X-Forwarded-Host`.
 *
 * @throws {DomainError} `invalid_request` when the proxy says what cannot be.
 */
function issuerOf(
  { url, headers }: Request,
  info: Parameters<Handler>[1],
  { scheme, isTrustedProxy }: RequestIssuerParts,
): string {
  const own = authorityOf(url)!; // the gate lets no other request through
  const [proto, host] = [headers.get("x-forwarded-proto"), headers.get("x-forwarded-host")];
  const isForwarded = proto !== null || host !== null;
  if (!isForwarded || !isTrustedProxy(info.remoteAddr.hostname)) {
    return new URL(`${scheme}://${own}`).origin;
  }
  const [saidProto, saidHost] = [lastOf(proto) ?? scheme, lastOf(host) ?? own];
  if (!/^https?$/.test(saidProto)) throw malformed("X-Forwarded-Proto");
  if (!isValidHost(saidHost)) throw malformed("X-Forwarded-Host");
  return new URL(`${saidProto}://${saidHost}`).origin;
}

/** What stands further left in a list came from the client, or from a proxy that is not known. */
function lastOf(list: string | null): string | undefined {
  return list === null ? undefined : list.slice(list.lastIndexOf(",") + 1).trim();
}

function malformed(name: string): DomainError {
  return new DomainError("invalid_request", `The header ${name} is not valid`);
}
