import assert from "node:assert/strict";
import {
  createRemoteJWKSet,
  decodeJwt,
  decodeProtectedHeader,
  importJWK,
  type JWK,
  jwtVerify,
} from "jose";
import { Server, UNLIMITED } from "./harness.ts";
import { openKeys } from "./keys.ts";

const SECRET = "a secret for tests only";

let server: Server;
Deno.test.beforeAll(async () => {
  server = await Server.start({ env: { ...UNLIMITED, NOT_MY_KEY: SECRET, SIGNING_ALG: "RS256" } });
});
Deno.test.afterAll(() => server[Symbol.asyncDispose]());

/** An expired token for a new user, asked for in one way or the other. */
async function expiredToken(way: "query" | "body"): Promise<string> {
  const { username, password } = await server.register();
  const answer = way === "query"
    ? await server.post("/auth?expired=true", { username, password })
    : await server.post("/auth", { username, password, expired: true });
  assert.equal(answer.status, 200);
  assert.equal(answer.json.token_type, "Bearer");
  assert.equal(answer.json.expires_in, 0);
  assert.equal(decodeJwt(answer.json.token).sub, username);
  return answer.json.token;
}

for (const way of ["query", "body"] as const) {
  Deno.test(`an expired token asked for in the ${way} is over and its key unpublished`, async () => {
    const token = await expiredToken(way);
    const { alg, kid } = decodeProtectedHeader(token);
    const { iat, exp } = decodeJwt(token);
    assert.equal(alg, "RS256");
    assert.ok(exp! < Date.now() / 1000);
    assert.ok(iat! < exp!);
    const { keys } = (await server.jwks()).json;
    assert.ok(keys.length > 0);
    assert.ok(!keys.some((key: JWK) => key.kid === kid));
    await assert.rejects(
      jwtVerify(token, createRemoteJWKSet(new URL(`${server.url}/.well-known/jwks.json`))),
      { code: "ERR_JWKS_NO_MATCHING_KEY" },
    );
  });
}

Deno.test("an expired token is signed by the stored key that its kid names", async () => {
  const token = await expiredToken("query");
  const { kid } = decodeProtectedHeader(token);
  const stored = await openKeys(server.directory, SECRET);
  const { kty, n, e } = stored.find((key) => key.kid === kid) as { kty: string } & JWK;
  const key = await importJWK({ kty, n: n!, e: e! }, "RS256");
  await assert.rejects(jwtVerify(token, key), { code: "ERR_JWT_EXPIRED" }); // after the signature
  const { exp } = decodeJwt(token);
  await jwtVerify(token, key, { currentDate: new Date((exp! - 1) * 1000) });
});

Deno.test("the key of expired tokens expired before it was made, and is in the table", async () => {
  const { kid } = decodeProtectedHeader(await expiredToken("body"));
  const [row] = server.query<{ exp: number }>("SELECT exp FROM keys WHERE kid = ?", Number(kid));
  assert.ok(row!.exp * 1000 < Number(kid));
});

Deno.test("expired=false gives a token that is valid", async () => {
  const { username, password } = await server.register();
  const answer = await server.post("/auth?expired=false", { username, password, expired: false });
  const keys = createRemoteJWKSet(new URL(`${server.url}/.well-known/jwks.json`));
  await jwtVerify(answer.json.token, keys);
});

Deno.test("expired with another value, or repeated, is refused", async () => {
  const { username, password } = await server.register();
  for (const query of ["expired=1", "expired=", "expired", "expired=true&expired=false"]) {
    const answer = await server.post(`/auth?${query}`, { username, password });
    assert.equal(answer.status, 400, query);
    assert.equal(answer.json.error, "invalid_request");
  }
});

Deno.test("an expired token needs the right password, too", async () => {
  const { username } = await server.register();
  const answer = await server.post("/auth?expired=true", { username, password: "wrong" });
  assert.equal(answer.status, 401);
  assert.ok(!answer.text.includes("token"));
});

Deno.test("with EXPIRED_TOKENS=off there is neither such a token nor such a key", async () => {
  await using strict = await Server.start({ env: { EXPIRED_TOKENS: "off" } });
  const user = await strict.register();
  const answer = await strict.post("/auth?expired=true", user);
  assert.equal(answer.status, 400);
  assert.equal(answer.json.error, "invalid_request");
  const expired = strict.query("SELECT kid FROM keys WHERE exp <= unixepoch()");
  assert.deepEqual(expired, []);
});
