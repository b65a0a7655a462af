/** Whether an answer is one that the description of the server tells of. */

import assert from "node:assert/strict";
import { z } from "zod";
import { issuerPath } from "../../lib/http/metadata.ts";
import { type ApiDocument, describeApi } from "../../lib/http/openapi/document.ts";
import type { ApiOptions } from "../../lib/http/openapi/route.ts";

export const EVERYTHING: ApiOptions = {
  issuer: "https://issuer.example",
  jwksUri: undefined,
  alg: "RS256",
  registration: true,
  expiredTokens: true,
  page: true,
  testTokens: true,
};

export interface Asked {
  method: string;
  /** As it was sent, without the query. */
  path: string;
}

export interface Answered {
  status: number;
  headers: Headers;
  text: string;
}

interface HeaderOrReference {
  $ref?: string;
  required?: boolean;
  schema: object;
}

interface DescribedResponse {
  headers?: Record<string, HeaderOrReference>;
  content?: Record<string, { schema: object }>;
}

interface Operation {
  responses: Record<string, DescribedResponse>;
}

export class Description {
  /** The operations by method, of every path as the server has it. */
  readonly #paths = new Map<string, Map<string, Operation>>();
  /** The path of the issuer. */
  readonly #base: string;
  readonly #headers: Record<string, HeaderOrReference>;
  readonly #definitions: object;
  readonly #schemas = new Map<object, z.ZodType>();

  constructor({ servers: [server], paths, components }: ApiDocument) {
    this.#base = issuerPath(server!.url);
    for (const [path, { servers, ...operations }] of Object.entries(paths)) {
      const whole = servers === undefined ? `${this.#base}${path}` : path;
      this.#paths.set(whole, new Map(Object.entries(operations as Record<string, Operation>)));
    }
    this.#headers = components.headers as unknown as Record<string, HeaderOrReference>;
    this.#definitions = components.schemas!;
  }

  /** What of an answer is not as described; `undefined` when all is. */
  fault({ method, path }: Asked, answer: Answered): string | undefined {
    const { status } = answer;
    if (isOfRuntime(answer)) return undefined;
    // What a server may be without is not described then.
    if (path.endsWith("/register") && status === 403) {
      return this.#refusalFault(answer, 403, "access_denied");
    }
    if (path === "/" && status === 404) return this.#refusalFault(answer, 404, "not_found");
    const operations = this.#paths.get(path);
    if (operations === undefined) {
      // The routes are at the root, too, of which nothing is said when the issuer has a path.
      return path.startsWith(`${this.#base}/`)
        ? this.#refusalFault(answer, 404, "not_found")
        : undefined;
    }
    const operation = operations.get(method.toLowerCase());
    if (operation === undefined) {
      // The preflight of a page (Fetch §3.2.2) is between it and the browser.
      if (method === "OPTIONS" && status === 204) return undefined;
      return this.#refusalFault(answer, 405, "method_not_allowed");
    }
    const response = operation.responses[status];
    if (response === undefined) return `the status ${status} is not described`;
    return this.#headerFault(response, answer) ??
      (method === "HEAD" ? emptyFault(answer) : this.#bodyFault(response, answer));
  }

  /** Before a route is looked for, the server may refuse what it is asked and how. */
  #refusalFault(answer: Answered, status: number, code: string): string | undefined {
    const codes: Record<number, string> = {
      [status]: code,
      400: "invalid_request",
      503: "overloaded",
    };
    if (!(answer.status in codes)) return `the status is ${answer.status}, not ${status}`;
    if (answer.text === "") return undefined;
    const { error } = JSON.parse(answer.text);
    if (error !== codes[answer.status]) return `the error is ${error}`;
    return this.schemaFault({ $ref: "#/components/schemas/Error" }, JSON.parse(answer.text));
  }

  #headerFault({ headers = {} }: DescribedResponse, answer: Answered): string | undefined {
    for (const [name, described] of Object.entries(headers)) {
      const header = described.$ref === undefined
        ? described
        : this.#headers[described.$ref.split("/").at(-1)!]!;
      const value = answer.headers.get(name);
      if (value === null && header.required) return `the header ${name} is missing`;
      if (value === null) continue;
      const isNumber = "type" in header.schema && header.schema.type === "integer";
      const fault = this.schemaFault(header.schema, isNumber ? Number(value) : value);
      if (fault !== undefined) return `the header ${name}: ${value}: ${fault}`;
    }
    return undefined;
  }

  #bodyFault({ content }: DescribedResponse, answer: Answered): string | undefined {
    if (content === undefined) return emptyFault(answer);
    const type = answer.headers.get("content-type")?.replace(/ *;.*/, "");
    const described = content[type!];
    if (described === undefined) return `the type ${type} is not described`;
    if (!type!.endsWith("json")) return undefined;
    const { schema } = described;
    // One by one: together, zod lets each allow what the others do.
    const parts = "allOf" in schema ? schema.allOf as object[] : [schema];
    const faults = parts.map((part) => this.schemaFault(part, JSON.parse(answer.text)));
    return faults.find((fault) => fault !== undefined);
  }

  /** What of a value a schema of the description does not allow; `undefined` when it allows all. */
  schemaFault(schema: object, value: unknown): string | undefined {
    const known = this.#schemas.get(schema) ?? this.#read(schema);
    this.#schemas.set(schema, known);
    const { error } = known.safeParse(value);
    return error && z.prettifyError(error);
  }

  /** A schema of which no object may say more than is described. */
  #read(schema: object): z.ZodType {
    const whole = { ...schema, $defs: this.#definitions };
    const text = JSON.stringify(whole).replaceAll("#/components/schemas/", "#/$defs/");
    return z.fromJSONSchema(JSON.parse(text, closed));
  }
}

/**
 * What an object is described to have is all it may have, unless it is said to be open. Which members
 * must stand together is left out: zod cannot tell.
 */
function closed(name: string, value: unknown): unknown {
  if (name === "dependentRequired") return undefined;
  const isObject = typeof value === "object" && value !== null && "properties" in value;
  return isObject && "required" in value ? { additionalProperties: false, ...value } : value;
}

/** The runtime refuses by itself what is no HTTP, with nothing but a status. */
function isOfRuntime({ status, headers, text }: Answered): boolean {
  return [400, 414, 431].includes(status) && text === "" && !headers.has("x-content-type-options");
}

function emptyFault({ text }: Answered): string | undefined {
  return text === "" ? undefined : "there is a body where none is described";
}

/** Descriptions that were made, by what they are of: an app for each test would make too many. */
const made = new Map<string, Description>();

/** Asserts that an answer is one that the description of such a server tells of. */
export function assertDescribed(
  asked: Asked,
  answer: Answered,
  has: Partial<ApiOptions> = {},
): void {
  const options = { ...EVERYTHING, ...has };
  const key = JSON.stringify(options);
  const description = made.get(key) ?? new Description(describeApi(options));
  made.set(key, description);
  const fault = description.fault(asked, answer);
  const { status, text } = answer;
  assert.equal(fault, undefined, `${asked.method} ${asked.path} ${status} ${text.slice(0, 500)}`);
}
