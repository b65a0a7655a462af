import assert from "node:assert/strict";
import { decodeJwt, decodeProtectedHeader } from "jose";
import { json, makeApp } from "../support.ts";
import { ALICE, JWKS, makeLoggedApp } from "./logged_app.ts";

const UUID_V4 = /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;

/** The answer without what differs from request to request. */
async function essence(response: Response) {
  const headers = Object.fromEntries(response.headers);
  delete headers.ratelimit;
  return { status: response.status, headers, body: await response.text() };
}

Deno.test("GET of the JWK set publishes public members only, of the keys that sign and will sign", async () => {
  const { send, ring } = await makeApp();
  const response = await send(JWKS);
  assert.equal(response.status, 200);
  const { keys } = await response.json();
  assert.equal(keys.length, 2);
  for (const key of keys) {
    assert.deepEqual(Object.keys(key).toSorted(), ["alg", "e", "kid", "kty", "n", "use"]);
    assert.deepEqual([key.kty, key.use, key.alg], ["RSA", "sig", "RS256"]);
  }
  const { kid } = await ring.signer();
  assert.ok(keys.some((key: { kid: string }) => key.kid === kid));
});

Deno.test("HEAD of the JWK set has the headers of GET and no body", async () => {
  const { send } = await makeApp();
  const [get, head] = [await send(JWKS), await send(JWKS, { method: "HEAD" })];
  assert.deepEqual({ ...(await essence(head)) }, { ...(await essence(get)), body: "" });
  assert.ok(Number(head.headers.get("content-length")) > 0);
});

Deno.test("GET of the JWK set is 304 until the set changes", async () => {
  const { send, ring, time } = await makeApp();
  const etag = (await send(JWKS)).headers.get("etag")!;
  const again = () => send(JWKS, { headers: { "if-none-match": `W/${etag}` } });
  assert.equal((await again()).status, 304);
  time.advance(29 * 86_400);
  assert.equal((await again()).status, 304);
  time.advance(2 * 86_400);
  await ring.maintain();
  assert.equal((await again()).status, 200);
});

Deno.test("GET of the JWK set is 503 rather than an empty set", async () => {
  const { send, time } = await makeApp();
  time.advance(100 * 365 * 86_400);
  const response = await send(JWKS);
  assert.equal(response.status, 503);
  assert.equal(response.headers.get("retry-after"), "1");
  assert.equal((await response.json()).error, "overloaded");
});

Deno.test("Every other method is 405 and lists the ones there are", async () => {
  const { send } = await makeApp();
  const routes: [string, string][] = [[JWKS, "GET, HEAD"], ["/register", "POST"], [
    "/auth",
    "POST",
  ]];
  const methods = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "PURGE"];
  for (const [path, allowed] of routes) {
    for (const method of methods.filter((method) => !allowed.split(", ").includes(method))) {
      const response = await send(path, { method });
      assert.equal(response.status, 405, `${method} ${path}`);
      assert.equal(response.headers.get("allow"), allowed);
      const code = method === "HEAD" ? "" : "method_not_allowed";
      assert.ok((await response.text()).includes(code));
    }
  }
});

Deno.test("Every other path is 404 in the one error shape", async () => {
  const { send } = await makeApp();
  const paths = ["/nothing", "/auth/", "/AUTH", "/auth/x", "//auth", "/.well-known", `${JWKS}/`];
  for (const path of paths) {
    for (const method of ["GET", "POST"]) {
      const response = await send(path, { method });
      assert.equal(response.status, 404, path);
      const body = await response.json();
      assert.deepEqual(Object.keys(body), ["error", "error_description"]);
      assert.equal(body.error, "not_found");
    }
  }
});

Deno.test("POST /register gives a password once, which no cache keeps", async () => {
  const { send } = await makeApp();
  const response = await send("/register", json(ALICE));
  assert.equal(response.status, 201);
  assert.equal(response.headers.get("cache-control"), "no-store");
  const body = await response.json();
  assert.deepEqual(Object.keys(body), ["password"]);
  assert.match(body.password, UUID_V4);
});

Deno.test("POST /register answers a taken name and a taken address alike, in any ASCII case", async () => {
  const app = await makeLoggedApp();
  await app.register();
  const answers = [];
  for (
    const taken of [
      ALICE,
      { username: "ALICE", email: "other@example.com" },
      { username: "other", email: "ALICE@Example.COM" },
    ]
  ) answers.push(await essence(await app.send("/register", json(taken))));
  assert.equal(answers[0]!.status, 409);
  assert.equal(JSON.parse(answers[0]!.body).error, "already_registered");
  for (const answer of answers) assert.deepEqual(answer, answers[0]);
});

Deno.test("POST /register is refused when registration is closed", async () => {
  const { send, storage } = await makeApp({ app: { registration: false } });
  const response = await send("/register", json(ALICE));
  assert.equal(response.status, 403);
  assert.equal((await response.json()).error, "access_denied");
  assert.equal(await storage.findUser("alice"), undefined);
});

Deno.test("POST /auth gives a token of the published key, which no cache keeps", async () => {
  const app = await makeLoggedApp();
  const password = await app.register();
  const response = await app.send("/auth", json({ username: "ALICE", password }));
  assert.equal(response.status, 200);
  assert.equal(response.headers.get("cache-control"), "no-store");
  const { token, ...rest } = await response.json();
  assert.deepEqual(rest, { token_type: "Bearer", expires_in: 3600 });
  assert.equal(decodeJwt(token).sub, "alice");
  assert.equal(decodeProtectedHeader(token).kid, (await app.ring.signer()).kid);
});

Deno.test("POST /auth gives an expired token when the query or the body asks for one", async () => {
  const app = await makeLoggedApp();
  const password = await app.register();
  const published = (await (await app.send(JWKS)).json()).keys;
  const asked: [string, Record<string, unknown>][] = [
    ["/auth?expired=true", {}],
    ["/auth", { expired: true }],
    ["/auth?expired=false", { expired: true }],
  ];
  for (const [path, extra] of asked) {
    const response = await app.send(path, json({ username: "alice", password, ...extra }));
    assert.equal(response.status, 200);
    const { token, expires_in } = await response.json();
    assert.equal(expires_in, 0);
    assert.ok(decodeJwt(token).exp! * 1000 < app.time.now);
    const { kid } = decodeProtectedHeader(token);
    assert.ok(published.every((key: { kid: string }) => key.kid !== kid));
  }
});

Deno.test("POST /auth answers an unknown user and a wrong password alike", async () => {
  const app = await makeLoggedApp();
  const password = await app.register();
  const unknown = await essence(await app.send("/auth", json({ username: "nobody", password })));
  const wrong = await essence(
    await app.send("/auth", json({ username: "alice", password: crypto.randomUUID() })),
  );
  assert.equal(unknown.status, 401);
  assert.equal(unknown.headers["www-authenticate"], 'Basic realm="jwks-server"');
  assert.equal(JSON.parse(unknown.body).error, "invalid_credentials");
  assert.deepEqual(wrong, unknown);
});

Deno.test("POST /auth leaves one log row, with the user after a success and without after a refusal", async () => {
  const app = await makeLoggedApp();
  const password = await app.register();
  assert.deepEqual(app.logRows(), []);
  await app.send("/auth", json({ username: "alice", password }), "192.0.2.1");
  await app.send("/auth", json({ username: "alice", password: "wrong" }), "::ffff:192.0.2.2");
  await app.send("/auth", json({ username: "nobody", password }), "2001:db8::1");
  const at = { request_timestamp: "2030-01-01 00:00:00" };
  const { id } = (await app.storage.findUser("alice"))!;
  assert.deepEqual(app.logRows(), [
    { request_ip: "192.0.2.1", ...at, user_id: id },
    { request_ip: "192.0.2.2", ...at, user_id: null },
    { request_ip: "2001:db8::1", ...at, user_id: null },
  ]);
});

Deno.test("POST /auth refuses an expired token before it checks anything when they are off", async () => {
  const app = await makeLoggedApp({ policy: { expiredTokens: false } });
  const password = await app.register();
  for (const tried of ["wrong", password]) {
    const body = json({ username: "alice", password: tried });
    assert.equal((await app.send("/auth?expired=true", body)).status, 400);
  }
  assert.equal(app.logRows().length, 0);
});

Deno.test("POST /auth over the limit is 429 and leaves no log row", async () => {
  const app = await makeLoggedApp();
  const password = await app.register();
  for (let index = 0; index < 10; index++) {
    const response = await app.send("/auth", json({ username: "alice", password }));
    assert.equal(response.headers.get("ratelimit"), `"auth";r=${9 - index};t=1`);
    assert.equal(response.status, 200);
  }
  const refused = await app.send("/auth", json({ username: "alice", password }));
  assert.equal(refused.status, 429);
  assert.equal(refused.headers.get("retry-after"), "1");
  assert.equal(refused.headers.get("ratelimit-policy"), '"auth";q=10;w=1');
  assert.equal((await refused.json()).error, "rate_limited");
  assert.equal(app.logRows().length, 10);
  app.time.advance(1);
  const admitted = await app.send("/auth", json({ username: "alice", password }));
  assert.equal(admitted.status, 200);
});

Deno.test("The limit is counted for each route and each client, and not for the JWK set", async () => {
  const { send } = await makeApp();
  const auth = json({ username: "nobody", password: "wrong" });
  for (let index = 0; index < 10; index++) await send("/auth", auth);
  assert.equal((await send("/auth", auth)).status, 429);
  assert.equal((await send("/auth", auth, "192.0.2.2")).status, 401);
  assert.equal((await send("/register", json(ALICE))).status, 201);
  for (let index = 0; index < 30; index++) assert.equal((await send(JWKS)).status, 200);
});

Deno.test("OPTIONS is answered as a preflight on the JWK set alone, and is 405 elsewhere", async () => {
  const { send } = await makeApp();
  const headers = { origin: "https://page.example", "access-control-request-method": "GET" };
  const preflight = await send("/.well-known/jwks.json", { method: "OPTIONS", headers });
  assert.equal(preflight.status, 204);
  assert.equal(preflight.headers.get("access-control-allow-origin"), "*");
  assert.equal(preflight.headers.get("access-control-allow-methods"), "GET, HEAD");
  assert.equal((await send("/.well-known/jwks.json", { method: "OPTIONS" })).status, 405);
  for (const path of ["/auth", "/register", "/nothing"]) {
    const answer = await send(path, { method: "OPTIONS", headers });
    assert.ok([404, 405].includes(answer.status), path);
    assert.equal(answer.headers.get("access-control-allow-origin"), null, path);
  }
});
