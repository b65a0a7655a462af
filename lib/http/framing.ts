/** Where a body ends (RFC 9112 §6): what two servers on one connection could read in two ways. */

/**
 * What is wrong with how the end of a body is told; `undefined` when nothing is. The one transfer
 * coding is chunked, once, and no Content-Length stands beside it.
 */
export function framingFault(headers: Headers): string | undefined {
  const coding = headers.get("transfer-encoding");
  if (coding === null) return undefined;
  if (coding.toLowerCase() !== "chunked") return "The Transfer-Encoding must be chunked";
  if (!headers.has("content-length")) return undefined;
  return "The body must not have both a Transfer-Encoding and a Content-Length";
}

/**
 * The same answer, as the last one on its connection. A runtime may have hidden the Content-Length
 * that came beside a Transfer-Encoding: what follows is then a body to a proxy that went by it, and
 * a request to the runtime (RFC 9112 §6.1, §11.2).
 */
export function asLast(response: Response): Response {
  response.headers.set("connection", "close");
  return response;
}
