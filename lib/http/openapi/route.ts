/** What the description says of a route, before it is an operation of OpenAPI 3.1. */

import type { MetadataOptions } from "../metadata.ts";
import type { ErrorName } from "./error_names.ts";

/** What this server is like: only what it has is described. */
export interface ApiOptions extends MetadataOptions {
  /** Whether `POST /register` is open. */
  registration: boolean;
  /** Whether `POST /auth` gives expired tokens on request. */
  expiredTokens: boolean;
  /** Whether there is a page for people at `/`. */
  page: boolean;
  /** Whether tokens that are wrong on purpose are given. */
  testTokens: boolean;
}

export type Json = Readonly<Record<string, unknown>>;

/** A body of one media type. */
export interface Content {
  type: string;
  schema: Json;
  example: unknown;
}

export interface Route {
  /** The path below the server's URL. */
  path: string;
  /** A route that can be got has HEAD, too. */
  method: "get" | "post";
  /** The name that clients which are generated call it by. */
  id: string;
  tag: Tag;
  summary: string;
  description: string;
  /** The ways to authenticate, as OpenAPI's `security`; none for what anybody may ask. */
  security?: readonly Json[];
  parameters?: readonly Json[];
  request?: { isRequired: boolean; contents: readonly Content[] };
  answer: Answer;
  /** What a 503 may be for people, beside the error for programs. */
  unready?: Content;
  /** Whether a client that holds the answer already is told so with a 304. */
  isConditional?: boolean;
  /** The errors of its own; those that every route has stand elsewhere. */
  errors: readonly ErrorName[];
  /** The server that has the route, when it does not lie below the issuer. */
  server?: string;
}

/** What is answered when all goes well. */
export interface Answer {
  status: 200 | 201;
  description: string;
  contents: readonly Content[];
  headers: Readonly<Record<string, Json>>;
}

/** The groups of routes, with what each is for. */
export const TAGS = {
  keys: "The keys that verify tokens, and what else a verifier has to know.",
  clients: "Registering, and tokens for a username and a password.",
  oauth: "The endpoints of OAuth 2.0.",
  server: "What the server says of itself.",
} as const;

export type Tag = keyof typeof TAGS;

/** A reference to a schema of the description. */
export function schemaRef(name: string): Json {
  return { $ref: `#/components/schemas/${name}` };
}

/** A body of JSON. */
export function json(schema: string, example: unknown, type = "application/json"): Content {
  return { type, schema: schemaRef(schema), example };
}

/** A form (`application/x-www-form-urlencoded`). */
export function form(schema: string, example: unknown): Content {
  return { type: "application/x-www-form-urlencoded", schema: schemaRef(schema), example };
}

/** The errors of every route that reads a body, and so is limited. */
export const BODY_ERRORS = [
  "request_timeout",
  "payload_too_large",
  "unsupported_media_type",
  "rate_limited",
] as const satisfies readonly ErrorName[];

/** Bodies as OpenAPI's `content`. */
export function contentOf(contents: readonly Content[]): Json {
  return Object.fromEntries(
    contents.map(({ type, schema, example }) => [type, { schema, example }]),
  );
}
