/** Requests from outside, turned into typed values or refused with a clear error. */

import type { Context } from "hono";
import { type JSONPath, visit } from "jsonc-parser";
import { z } from "zod";
import { RequestError } from "../base/errors.ts";

/** The longest body, in bytes, and the longest time it may take to arrive, in milliseconds. */
export interface BodyLimits {
  maxBytes: number;
  timeout: number;
}

export const BODY_LIMITS: BodyLimits = { maxBytes: 8192, timeout: 10_000 };

function text(name: string) {
  return z.string({
    error: ({ input }) => input === undefined ? `${name} is missing` : `${name} must be a string`,
  });
}

/** The body of `POST /register`. */
export const Registration = z.object({
  username: text("username").regex(
    /^[A-Za-z0-9][A-Za-z0-9._@+-]{0,63}$/,
    "username must be 1 to 64 letters, digits or . _ @ + -, and begin with a letter or a digit",
  ),
  email: text("email").max(254, "email must have at most 254 characters").pipe(
    z.email("email must be an e-mail address"),
  ),
}, "The body must be a JSON object");

/** The body of `POST /auth`. */
export const Credentials = z.object({
  username: text("username").min(1, "username is empty"),
  password: text("password").min(1, "password is empty"),
  expired: z.boolean("expired must be true or false").optional(),
}, "The body must be a JSON object");

/**
 * Reads a JSON body and validates it.
 *
 * @throws {RequestError} `unsupported_media_type`, `payload_too_large`, `request_timeout` or
 * `invalid_request`.
 */
export async function readJson<Schema extends z.ZodType>(
  request: Request,
  schema: Schema,
  limits: BodyLimits = BODY_LIMITS,
): Promise<z.infer<Schema>> {
  assertJson(request.headers.get("content-type"));
  const body = decodeUtf8(await readBody(request, limits));
  const result = schema.safeParse(parseJson(body));
  if (result.success) return result.data;
  throw new RequestError("invalid_request", result.error.issues[0]!.message);
}

/**
 * Whether the query asks for an expired token.
 *
 * @throws {RequestError} when `expired` is not `true` or `false`, a parameter is repeated, or
 * credentials stand in the query, where logs and histories keep them.
 */
export function readExpiredParameter(context: Context): boolean {
  const query = context.req.queries();
  for (const [name, values] of Object.entries(query)) {
    if (values.length > 1) {
      throw new RequestError("invalid_request", "A query parameter must not be repeated");
    }
    if (name === "username" || name === "password") {
      throw new RequestError("invalid_request", "Credentials must not stand in the query");
    }
  }
  const value = query.expired?.[0];
  if (value !== undefined && value !== "true" && value !== "false") {
    throw new RequestError("invalid_request", "The parameter expired must be true or false");
  }
  return value === "true";
}

function assertJson(contentType: string | null): void {
  const mediaType = (contentType ?? "").split(";", 1)[0]!.trim().toLowerCase();
  if (mediaType === "application/json") return;
  throw new RequestError("unsupported_media_type", "The Content-Type must be application/json");
}

async function readBody(request: Request, { maxBytes, timeout }: BodyLimits): Promise<Uint8Array> {
  const tooLarge = () =>
    new RequestError("payload_too_large", `The body must have at most ${maxBytes} bytes`);
  if (Number(request.headers.get("content-length")) > maxBytes) throw tooLarge();
  if (request.body === null) return new Uint8Array();

  const reader = request.body.getReader();
  const late = Promise.withResolvers<never>();
  const timer = setTimeout(
    () => late.reject(new RequestError("request_timeout", "The body took too long to arrive")),
    timeout,
  );
  const chunks: Uint8Array[] = [];
  try {
    for (let size = 0;;) {
      const { done, value } = await Promise.race([reader.read(), late.promise]);
      if (done) return concatenate(chunks, size);
      size += value.length;
      if (size > maxBytes) throw tooLarge();
      chunks.push(value);
    }
  } catch (error) {
    reader.cancel().catch(() => {}); // the connection may be gone already
    if (error instanceof RequestError) throw error;
    throw new RequestError("invalid_request", "The body did not arrive whole");
  } finally {
    clearTimeout(timer);
  }
}

function concatenate(chunks: readonly Uint8Array[], size: number): Uint8Array {
  const whole = new Uint8Array(size);
  let offset = 0;
  for (const chunk of chunks) {
    whole.set(chunk, offset);
    offset += chunk.length;
  }
  return whole;
}

function decodeUtf8(bytes: Uint8Array): string {
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch {
    throw new RequestError("invalid_request", "The body is not UTF-8");
  }
}

function parseJson(body: string): unknown {
  let value: unknown;
  try {
    value = JSON.parse(body);
  } catch {
    throw new RequestError("invalid_request", "The body is not JSON");
  }
  assertUniqueNames(body);
  return value;
}

/** RFC 8259 §4 leaves the meaning of a repeated name open, so that two readers may differ. */
function assertUniqueNames(body: string): void {
  const names: Set<string>[] = [];
  visit(body, {
    onObjectBegin: () => void names.push(new Set()),
    onObjectEnd: () => void names.pop(),
    onObjectProperty(name: string, _offset, _length, _line, _column, _path: () => JSONPath) {
      const seen = names.at(-1)!;
      if (seen.has(name)) {
        throw new RequestError("invalid_request", "A name must not be repeated in a JSON object");
      }
      seen.add(name);
    },
  });
}
