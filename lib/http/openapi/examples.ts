/** What requests and answers look like, by example. None of these keys and passwords exists. */

import { base64url } from "jose";

/** A public key: that of RFC 7517 §A.1. */
export const KEY = {
  kty: "EC",
  kid: "1767225600000",
  use: "sig",
  alg: "ES256",
  crv: "P-256",
  x: "MKBCTNIcKUSDii11ySs3526iDZ8AiTo7Tu6KPAqv7D4",
  y: "4Etl6SRW2YiLUrN5vfvVHuhp7x8PxltmWWlbbM4IFyM",
};

/** An entity tag, as it is sent. */
export const ENTITY_TAG = '"c1QqDk3vY0hD0m1kz2B0QdJ8x5v7o3m6nYwq9t4s2uE"';

export const REGISTRATION = { username: "alice", email: "alice@example.com" };

export const PASSWORD = { password: "0b9c8e6e-6a38-4f8e-9d5a-1c3f0f7a2b11" };

export const CREDENTIALS = { username: REGISTRATION.username, ...PASSWORD };

/** Names and proves the client in a form. */
export const CLIENT = { client_id: REGISTRATION.username, client_secret: PASSWORD.password };

/** What the example of a token says. */
export function claims(issuer: string) {
  const issuedAt = Number(KEY.kid) / 1000;
  return {
    client_id: REGISTRATION.username,
    iss: issuer,
    sub: REGISTRATION.username,
    aud: issuer,
    iat: issuedAt,
    exp: issuedAt + 3600,
    jti: "5b0c1b0e-7c2e-4d0b-9a51-3f2f6a0d9c11",
  };
}

/** A token that can be read, and verifies nowhere. */
export function token(issuer: string, typ: "JWT" | "at+jwt"): string {
  const { alg, kid } = KEY;
  const parts = [{ alg, kid, typ }, claims(issuer)];
  const encoded = parts.map((part) => base64url.encode(JSON.stringify(part)));
  return [...encoded, "A".repeat(86)].join(".");
}
