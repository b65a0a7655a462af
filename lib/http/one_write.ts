/** Answers over TLS that leave at once. */

/** How much of a body is written at a time, in bytes: less than the 1024 that are written alone. */
const PIECE = 1000;

/**
 * The same answer in small pieces of no stated length, which Deno writes together. Of any other it
 * writes the head by itself, in HTTP/1.1 and HTTP/2 over TLS alike, and the rest waits 40 ms for the
 * client to acknowledge that (RFC 896): the socket of a TLS listener cannot be told not to.
 */
export function inOneWrite({ method }: Request, response: Response): Response {
  if (response.body === null || method === "HEAD") return response;
  const headers = new Headers(response.headers);
  headers.delete("content-length");
  const body = new ReadableStream<Uint8Array>({
    async start(controller) {
      const bytes = await response.bytes();
      for (let place = 0; place < bytes.length; place += PIECE) {
        controller.enqueue(bytes.subarray(place, place + PIECE));
      }
      controller.close();
    },
  });
  return new Response(body, { status: response.status, headers });
}
