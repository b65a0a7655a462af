/** Bodies as JSON and as forms, each read in one way only. */

import { visit } from "jsonc-parser";
import type { z } from "zod";
import { decodeUtf8 } from "../base/bytes.ts";
import { DomainError } from "../base/errors.ts";
import { type BodyLimits, readBody } from "./body.ts";

const JSON_TYPE = "application/json";
const FORM_TYPE = "application/x-www-form-urlencoded";

/** Whether the body is said to be a form. */
export function isForm(headers: Headers): boolean {
  return mediaTypeOf(headers).type === FORM_TYPE;
}

/**
 * Reads a form (`application/x-www-form-urlencoded`, WHATWG URL §5.1).
 *
 * @throws {DomainError} as `readJson` does, and `invalid_request` when a parameter is repeated.
 */
export async function readForm(request: Request): Promise<URLSearchParams> {
  assertMediaType(request.headers, FORM_TYPE);
  const text = toText(await readBody(request));
  assertEncoded(text);
  const form = new URLSearchParams(text);
  for (const name of form.keys()) {
    if (form.getAll(name).length > 1) throw invalid("A parameter must not be repeated");
  }
  return form;
}

/** What is not UTF-8 between the signs of percent would become replacement characters. */
function assertEncoded(form: string): void {
  try {
    decodeURIComponent(form);
  } catch {
    throw invalid("The body is not a form in UTF-8");
  }
}

/**
 * Reads a JSON body and validates it.
 *
 * @throws {DomainError} `unsupported_media_type`, `payload_too_large`, `request_timeout` or
 * `invalid_request`.
 */
export async function readJson<Schema extends z.ZodType>(
  request: Request,
  schema: Schema,
  limits?: BodyLimits,
): Promise<z.infer<Schema>> {
  assertMediaType(request.headers, JSON_TYPE);
  return validate(schema, parseJson(toText(await readBody(request, limits)), "The body"));
}

/** @throws {DomainError} `invalid_request` with what is wrong first. */
export function validate<Schema extends z.ZodType>(
  schema: Schema,
  value: unknown,
): z.infer<Schema> {
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  throw invalid(result.error.issues[0]!.message);
}

function mediaTypeOf(headers: Headers): { type: string; parameters: string[] } {
  const [type = "", ...parameters] = (headers.get("content-type") ?? "").toLowerCase().split(";")
    .map((part) => part.trim());
  return { type, parameters };
}

/**
 * JSON and forms are UTF-8 (RFC 8259 §8.1, WHATWG URL §5.1), and nothing here undoes a content coding
 * (RFC 9110 §15.5.16).
 */
function assertMediaType(headers: Headers, wanted: string): void {
  const { type, parameters } = mediaTypeOf(headers);
  if (type !== wanted) throw unsupported(`The Content-Type must be ${wanted}`);
  const charsets = parameters.filter((parameter) => parameter.startsWith("charset"));
  if (!charsets.every((parameter) => /^charset=(?:utf-?8|"utf-?8")$/.test(parameter))) {
    throw unsupported("The charset must be UTF-8");
  }
  if (headers.has("content-encoding")) throw unsupported("The body must not be encoded");
}

function toText(bytes: Uint8Array): string {
  try {
    return decodeUtf8(bytes);
  } catch {
    throw invalid("The body is not UTF-8");
  }
}

/**
 * The value in `text`, which is what its reader calls `name`.
 *
 * @throws {DomainError} `invalid_request` when it is not JSON, or two readers might differ on it.
 */
export function parseJson(text: string, name: string): unknown {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw invalid(`${name} is not JSON`);
  }
  assertUniqueNames(text);
  return value;
}

/** RFC 8259 §4 leaves the meaning of a repeated name open, so that two readers may differ. */
function assertUniqueNames(text: string): void {
  const names: Set<string>[] = [];
  visit(text, {
    onObjectBegin: () => void names.push(new Set()),
    onObjectEnd: () => void names.pop(),
    onObjectProperty(name) {
      const seen = names.at(-1)!;
      if (seen.has(name)) throw invalid("A name must not be repeated in a JSON object");
      seen.add(name);
    },
  });
}

/** What a request is refused with whose content is wrong. */
export function invalid(message: string): DomainError {
  return new DomainError("invalid_request", message);
}

function unsupported(message: string): DomainError {
  return new DomainError("unsupported_media_type", message);
}
