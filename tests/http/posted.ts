/** Requests with a body, and bodies that arrive as the test says. */

import assert from "node:assert/strict";
import { DomainError, type ErrorCode } from "../../lib/base/errors.ts";
import { failureOf } from "../support.ts";

export const ALICE = { username: "alice", password: "secret" };

/** A POST of JSON, with these headers besides. */
export function post(
  body: BodyInit | null,
  headers: Record<string, string> = {},
  query = "",
): Request {
  const own = { "content-type": "application/json", ...headers };
  return new Request(`http://localhost/auth${query}`, { method: "POST", headers: own, body });
}

/** Asserts that it is refused with this code, and gives the words. */
export async function assertRefused(
  work: () => unknown,
  code: ErrorCode,
  what = "",
): Promise<string> {
  const error = await failureOf(work, what);
  assert.ok(error instanceof DomainError, `${what}: ${error}`);
  assert.equal(error.code, code, what);
  return error.message;
}

/** What was taken of a body. */
export interface Taken {
  pulls: number;
  isCancelled: boolean;
  /** Resolves when nobody wants the rest any more. */
  cancelled: Promise<void>;
}

/** What a body's source can do; the same for both kinds. */
interface Source {
  enqueue(bytes: Uint8Array<ArrayBuffer>): void;
  close(): void;
  error(reason: Error): void;
  /** What a reader with a buffer waits for; at the end it has to be told that there is nothing. */
  byobRequest?: { respond(bytesWritten: number): void } | null;
}

/**
 * A body that arrives piece by piece: as a socket's, which is read into a buffer of the reader, or
 * as one that is in memory in pieces.
 */
export function streamOf(
  next: (controller: Source) => void,
  type: "bytes" | "pieces" = "bytes",
): { stream: ReadableStream<Uint8Array<ArrayBuffer>>; seen: Taken } {
  const { promise: cancelled, resolve } = Promise.withResolvers<void>();
  const seen = { pulls: 0, isCancelled: false, cancelled };
  const source = {
    pull(controller: Source) {
      seen.pulls++;
      next(controller);
    },
    cancel() {
      seen.isCancelled = true;
      resolve();
    },
  };
  const strategy = { highWaterMark: 0 };
  return type === "bytes"
    ? { stream: new ReadableStream({ ...source, type }, strategy), seen }
    : { stream: new ReadableStream(source, strategy), seen };
}

/** Ends a body. */
export function close(controller: Source): void {
  controller.close();
  controller.byobRequest?.respond(0);
}
