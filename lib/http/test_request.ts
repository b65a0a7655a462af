/** Requests for test tokens: read where there are such tokens, and refused where there are none. */

import { DomainError } from "../base/errors.ts";
import { assertConsistent, type TestWish } from "../tokens/test_wish.ts";
import type { TestTokenIssuer } from "../tokens/test_tokens.ts";
import type { IssuedToken } from "../tokens/token_issuer.ts";
import type { TokenGrant } from "../tokens/token_payload.ts";
import { BODY_LIMITS } from "./body.ts";
import { invalid, parseJson, validate } from "./parsed_body.ts";
import type { Parameters } from "./request.ts";
import { TestParameters } from "./schemas.ts";

/** What issues the test token that a request asks for. */
export interface TestRequest {
  /** What the log says of it. */
  asked: { grant: "test"; test: true; defect?: string };
  issue(username: string, grant: TokenGrant): Promise<IssuedToken>;
}

/**
 * Reads whether a request asks for a test token in one of these places.
 *
 * @throws {DomainError} `invalid_request`
 */
export type ReadTestRequest = (places: readonly Parameters[]) => TestRequest | undefined;

/** @param issuer `undefined` where there are no such tokens: then nothing of this is ever read. */
export function createReadTestRequest(issuer: TestTokenIssuer | undefined): ReadTestRequest {
  if (issuer === undefined) return refuseDefects;

  return function readTestRequest(places) {
    const wish = readTestWish(places);
    if (wish === undefined) return undefined;
    const { defect } = wish;
    return {
      asked: { grant: "test", test: true, ...(defect === undefined ? {} : { defect }) },
      issue: (username, grant) => issuer.issue(username, wish, grant),
    };
  };
}

/** Who asks for a token with a defect must not take a right one for it. */
function refuseDefects(places: readonly Parameters[]): undefined {
  if (!places.some((place) => isSent(place, "defect"))) return;
  throw new DomainError("invalid_request", "Test tokens are switched off");
}

type Name = keyof typeof TestParameters.shape;
const NAMES = Object.keys(TestParameters.shape) as readonly Name[];

function readTestWish(places: readonly Parameters[]): TestWish | undefined {
  const sent = new Map<Name, unknown>();
  for (const name of NAMES) {
    for (const place of places.filter((place) => isSent(place, name))) {
      if (sent.has(name)) throw invalid(`${name} stands in two places`);
      sent.set(name, valueOf(place, name));
    }
  }
  if (sent.size === 0) return undefined;
  const { defect, claims, expires_in: expiresIn, issued_at: issuedAt } = validate(
    TestParameters,
    Object.fromEntries(sent),
  );
  const wish = { defect, claims, expiresIn, issuedAt };
  assertConsistent(wish);
  return wish;
}

/** Text without a value is not sent (RFC 6749 §3.2). */
function isSent({ areText, values }: Parameters, name: Name): boolean {
  return Object.hasOwn(values, name) && !(areText && values[name] === "");
}

/** What a parameter says, as JSON would say it. */
function valueOf({ areText, values }: Parameters, name: Name): unknown {
  const value = values[name];
  if (!areText || name === "defect") return value;
  const text = value as string;
  if (name === "claims") return parseClaims(text);
  return /^-?\d{1,12}$/.test(text) ? Number(text) : text;
}

/** A query may be longer than a body, and nested more deeply than can be read. */
function parseClaims(text: string): unknown {
  const { maxBytes } = BODY_LIMITS;
  if (text.length > maxBytes) throw invalid(`claims must have at most ${maxBytes} characters`);
  return parseJson(text, "claims");
}
