/** The body of a request: read within limits, or left unread. */

import { DomainError } from "../base/errors.ts";

/** The longest body, in bytes, and the longest time it may take to arrive, in milliseconds. */
export interface BodyLimits {
  maxBytes: number;
  timeout: number;
}

export const BODY_LIMITS: BodyLimits = { maxBytes: 8192, timeout: 10_000 };

/**
 * How long a body that nobody reads is kept, in milliseconds: by then the client has the answer, and
 * some clients lose it when the connection ends while they still send.
 */
const LINGER = 250;

/** How many bytes are read at once. */
const CHUNK = 2048;

/** A chunk of fewer bytes is followed by a pause, in which more may arrive to be read at once. */
const TINY = 256;

/** The first such pause and the longest, in milliseconds; each is twice the one before. */
const PAUSE = { first: 2, longest: 100 };

/** Reads a chunk; nothing at the end. */
interface ChunkReader {
  read(): Promise<Uint8Array | undefined>;
  cancel(): Promise<void>;
}

/**
 * Reads the body into one buffer of its size, or the limit's. A chunk that is kept would keep all of the
 * runtime's buffer alive that it arrived in, however few bytes it has.
 *
 * @throws {DomainError} `payload_too_large`, unread when `Content-Length` says so, `request_timeout`
 * or `invalid_request`.
 */
export async function readBody(
  request: Request,
  { maxBytes, timeout }: BodyLimits = BODY_LIMITS,
): Promise<Uint8Array> {
  const length = lengthOf(request.headers) ?? maxBytes;
  if (length > maxBytes) throw tooLarge(maxBytes);
  if (request.body === null) return new Uint8Array();
  const reader = readerOf(request.body, Math.min(length, CHUNK));
  const late = Promise.withResolvers<never>();
  const timer = setTimeout(() => late.reject(tooLate()), timeout);
  try {
    // One race for the whole body: one for each chunk would leave a reaction for each.
    return await Promise.race([collect(reader, { length, maxBytes }, late.promise), late.promise]);
  } catch (error) {
    cancelLater(reader);
    if (error instanceof DomainError) throw error;
    throw new DomainError("invalid_request", "The body did not arrive whole");
  } finally {
    clearTimeout(timer);
  }
}

/**
 * Makes the runtime stop reading a body that no handler has read, and end the connection soon after
 * the answer: it would go on to the end of the body, gigabytes if need be, unless somebody else
 * seems to read it. A body that has arrived whole ends nothing.
 */
export function leaveUnread(request: Request): void {
  if (request.body !== null && !request.body.locked) cancelLater(request.body.getReader());
}

function cancelLater(reader: { cancel(): Promise<void> }): void {
  setTimeout(() => reader.cancel().catch(() => {}), LINGER); // the connection may be gone by then
}

async function collect(
  reader: ChunkReader,
  { length, maxBytes }: { length: number; maxBytes: number },
  late: Promise<never>,
): Promise<Uint8Array> {
  let isLate = false;
  late.catch(() => isLate = true);
  const whole = new Uint8Array(Math.min(length, maxBytes));
  let size = 0;
  for (let pause = PAUSE.first; !isLate;) {
    const chunk = await reader.read();
    if (chunk === undefined) break;
    if (size + chunk.length > whole.length) throw tooLarge(maxBytes);
    whole.set(chunk, size);
    size += chunk.length;
    if (chunk.length >= TINY || size >= length) continue;
    await new Promise((resolve) => setTimeout(resolve, pause));
    pause = Math.min(PAUSE.longest, pause * 2);
  }
  return whole.subarray(0, size);
}

/** Reads into one buffer where the runtime lets it, and else what the runtime has made. */
function readerOf(body: ReadableStream<Uint8Array>, atOnce: number): ChunkReader {
  let byob: ReadableStreamBYOBReader;
  try {
    byob = body.getReader({ mode: "byob" });
  } catch {
    const reader = body.getReader(); // the body is in memory already
    return { read: async () => (await reader.read()).value, cancel: () => reader.cancel() };
  }
  let buffer = new ArrayBuffer(Math.max(1, atOnce));
  return {
    async read() {
      const { done, value } = await byob.read(new Uint8Array(buffer));
      if (done || value === undefined) return undefined;
      buffer = value.buffer;
      return value;
    },
    cancel: () => byob.cancel(),
  };
}

/** The length that is stated; it may be so more than once, but only the same (RFC 9112 §6.3). */
function lengthOf(headers: Headers): number | undefined {
  const [, length] = /^(\d+)(?:, *\1)*$/.exec(headers.get("content-length") ?? "") ?? [];
  return length === undefined ? undefined : Number(length);
}

function tooLarge(maxBytes: number): DomainError {
  return new DomainError("payload_too_large", `The body must have at most ${maxBytes} bytes`);
}

function tooLate(): DomainError {
  return new DomainError("request_timeout", "The body took too long to arrive");
}
