import assert from "node:assert/strict";
import { isDomainError } from "../../lib/base/errors.ts";
import { readClientProof } from "../../lib/http/client_authentication.ts";
import { failureOf } from "../support.ts";

const JWT_BEARER = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";
const ASSERTION = { client_assertion_type: JWT_BEARER, client_assertion: "a.b.c" };

function basic(text: string): Record<string, string> {
  return { authorization: `Basic ${btoa(text)}` };
}

function read(form: Record<string, string>, headers: Record<string, string> = {}) {
  return readClientProof(new Headers(headers), new URLSearchParams(form));
}

async function assertRefused(
  code: "invalid_request" | "invalid_credentials",
  form: Record<string, string>,
  headers?: Record<string, string>,
): Promise<void> {
  const error = await failureOf(() => read(form, headers), JSON.stringify({ form, headers }));
  assert.ok(isDomainError(error, code), String(error));
}

function password(username: string, password: string) {
  return { method: "password", credentials: { username, password } };
}

Deno.test("readClientProof() takes HTTP Basic, decoded as a form is (RFC 6749 §2.3.1)", () => {
  assert.deepEqual(read({}, basic("alice:secret")), password("alice", "secret"));
  assert.deepEqual(read({}, basic("a%2Bb%40c:p%3A+q%25")), password("a+b@c", "p: q%"));
});

Deno.test("readClientProof() takes client_id and client_secret (RFC 6749 §2.3.1)", () => {
  const form = { client_id: "alice", client_secret: "s&=+" };
  assert.deepEqual(read(form), password("alice", "s&=+"));
});

Deno.test("readClientProof() takes an assertion (RFC 7523 §2.2), with a client_id beside it or not", () => {
  const proof = { method: "assertion", assertion: "a.b.c", clientId: undefined };
  assert.deepEqual(read(ASSERTION), proof);
  assert.deepEqual(read({ ...ASSERTION, client_id: "alice" }), { ...proof, clientId: "alice" });
});

Deno.test("readClientProof() takes a client_id beside HTTP Basic that names the same client alone", async () => {
  assert.deepEqual(read({ client_id: "alice" }, basic("alice:x")), password("alice", "x"));
  await assertRefused("invalid_request", { client_id: "bob" }, basic("alice:x"));
});

Deno.test("readClientProof() refuses two ways at once (RFC 6749 §2.3), also with the same secret", async () => {
  const post = { client_id: "alice", client_secret: "x" };
  await assertRefused("invalid_request", post, basic("alice:x"));
  await assertRefused("invalid_request", { ...post, ...ASSERTION });
  await assertRefused("invalid_request", ASSERTION, basic("alice:x"));
});

Deno.test("readClientProof() says that a client is not authenticated when it shows nothing", async () => {
  const nothing = [{}, { client_id: "alice" }, { client_secret: "x" }, { client_id: "" }];
  for (const form of [...nothing, { client_id: "alice", client_secret: "" }]) {
    await assertRefused("invalid_credentials", form);
  }
  await assertRefused("invalid_credentials", {}, { authorization: "Bearer abc" });
});

Deno.test("readClientProof() refuses what is malformed", async () => {
  await assertRefused("invalid_request", { client_assertion: "a.b.c" });
  await assertRefused("invalid_request", { client_assertion_type: JWT_BEARER });
  await assertRefused("invalid_request", { ...ASSERTION, client_assertion_type: "saml2-bearer" });
  await assertRefused("invalid_request", {}, basic("alice:%"));
  await assertRefused("invalid_request", {}, { authorization: "Basic !" });
});
