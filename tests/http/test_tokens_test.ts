import assert from "node:assert/strict";
import { compactVerify, createLocalJWKSet, importJWK, jwtVerify } from "jose";
import fc from "fast-check";
import type { Observer } from "../../lib/http/observer.ts";
import { DEFECT_NAMES } from "../../lib/tokens/defects.ts";
import { ISSUER, json, POLICY } from "../support.ts";
import { makeClientKey } from "../tokens/signed.ts";
import { makeOAuthApp, read, type Said } from "./oauth_app.ts";

type Fields = Record<string, unknown>;

/** The app with one client, whose test tokens are on, and ways to ask for one. */
async function makeTestApp(options: Parameters<typeof makeOAuthApp>[0] = {}) {
  const made = await makeOAuthApp({ testTokens: true, ...options });
  const { send, password, time, post, secret, grant } = made;
  const credentials = { username: "svc", password };
  return {
    ...made,
    /** Asks at /auth, by JSON. */
    auth: async (fields: Fields, query = ""): Promise<Said> => {
      time.advance(1); // no test reaches the rate limit by accident
      const answer = await send(`/auth${query}`, json({ ...credentials, ...fields }));
      return { status: answer.status, headers: answer.headers, body: await answer.json() };
    },
    authForm: (fields: Record<string, string>) => post("/auth", { ...credentials, ...fields }),
    /** Asks at /token. */
    ask: (fields: Record<string, string>, query = "", headers: Record<string, string> = {}) =>
      post(`/token${query}`, { ...grant, ...secret, ...fields }, headers),
  };
}

function assertRefused({ status, body }: Said, words?: RegExp): void {
  assert.deepEqual([status, body.error], [400, "invalid_request"], JSON.stringify(body));
  if (words) assert.match(body.error_description, words);
}

const encoded = (value: unknown) => encodeURIComponent(JSON.stringify(value));

Deno.test("a test token is asked for in the query, in JSON and in a form alike", async () => {
  const { auth, authForm, ask, time } = await makeTestApp();
  const claims = { tenant: "blue" };
  const text = { claims: JSON.stringify(claims), expires_in: "-30", issued_at: "1000" };
  const query = `?claims=${encoded(claims)}&expires_in=-30&issued_at=1000`;
  const answers = [
    await auth({ claims, expires_in: -30, issued_at: 1000 }),
    await auth({}, query),
    await authForm(text),
    await ask(text),
    await ask({}, query),
    await auth({ claims, issued_at: 1000 }, "?expires_in=-30"),
  ];
  for (const [place, { status, body }] of answers.entries()) {
    assert.equal(status, 200, JSON.stringify(body));
    const { header, claims } = read(body.token ?? body.access_token);
    assert.deepEqual([claims.tenant, claims.iat, body.expires_in], ["blue", 1000, 0]);
    assert.ok(Math.abs(claims.exp! - (time.seconds - 30)) < 10);
    assert.equal(header.typ, body.access_token ? "at+jwt" : "JWT", String(place));
  }
});

Deno.test("every defect is to be had at /auth and /token, and of the type that is usual there", async () => {
  const { auth, ask } = await makeTestApp();
  for (const defect of DEFECT_NAMES) {
    for (const answer of [await auth({}, `?defect=${defect}`), await ask({ defect })]) {
      assert.equal(answer.status, 200, JSON.stringify(answer.body));
      assert.equal(answer.headers.get("cache-control"), "no-store");
      const { token, access_token, expires_in, token_type } = answer.body;
      assert.deepEqual([expires_in, token_type], [0, "Bearer"]);
      const { header } = read(token ?? access_token);
      assert.equal(header.typ, token ? "JWT" : "at+jwt");
    }
  }
});

Deno.test("a claim may have any name, those included that JavaScript takes for its own", async () => {
  const { auth, ask } = await makeTestApp();
  const text = '{"__proto__":{"a":{"__proto__":1}},"constructor":2,"toString":3}';
  for (const { body } of [await auth({ claims: JSON.parse(text) }), await ask({ claims: text })]) {
    const { claims } = read(body.token ?? body.access_token);
    for (const [name, value] of Object.entries(JSON.parse(text))) {
      assert.deepEqual(Object.getOwnPropertyDescriptor(claims, name)?.value, value, name);
    }
  }
  assert.equal("a" in {}, false);
});

Deno.test("a test token is introspected as what it is", async () => {
  const { auth, post, secret } = await makeTestApp();
  const isActive = async (fields: Fields) => {
    const { token } = (await auth(fields)).body;
    return (await post("/introspect", { token, ...secret })).body.active;
  };
  assert.equal(await isActive({ claims: { tenant: 1 } }), true);
  for (const defect of DEFECT_NAMES.filter((name) => name !== "wrong-audience")) {
    assert.equal(await isActive({ defect }), false, defect);
  }
  assert.equal(await isActive({ claims: { sub: "nobody" } }), false);
});

Deno.test("a test token is bound to a key (RFC 9449), and to the client's policy", async () => {
  const { ask, proof, setPolicy, ring } = await makeTestApp();
  const key = await makeClientKey();
  await setPolicy({ requireDpop: true, scopes: ["read", "write"], audiences: ["orders"] });
  assert.equal((await ask({ defect: "expired" })).body.error, "invalid_dpop_proof");
  const { body } = await ask({ claims: '{"tenant":1}', scope: "read" }, "", await proof(key));
  assert.equal(body.token_type, "DPoP");
  const set = createLocalJWKSet(JSON.parse(ring.published()!.text));
  const { payload } = await jwtVerify(body.access_token, set, {
    currentDate: new Date(read(body.access_token).claims.iat! * 1000),
  });
  assert.deepEqual([payload.scope, payload.aud, payload.tenant], ["read", "orders", 1]);
  assert.match((payload.cnf as { jkt: string }).jkt, /^[\w-]{43}$/);
  const denied = await ask({ defect: "tampered", scope: "admin" }, "", await proof(key));
  assert.equal(denied.body.error, "invalid_scope");
  const other = await ask({ claims: '{"scope":"admin"}' }, "", await proof(key));
  assert.equal(other.body.scope, "admin", "what the token says");
});

Deno.test("a request for a test token that makes no sense is refused", async () => {
  const { auth, authForm, ask, logCount } = await counted();
  const nonsense: Fields[] = [
    ...["", "none", "EXPIRED", "__proto__", "toString", null, 1, ["expired"]].map((defect) => ({
      defect,
    })),
    ...["{}", [], null, 1, true].map((claims) => ({ claims })),
    ...["1", 1.5, null, 1e10, -1e10, {}].map((expires_in) => ({ expires_in })),
    ...["1", 1.5, null, -1, 1e12, {}].map((issued_at) => ({ issued_at })),
    { defect: "expired", expires_in: 1 },
    { defect: "expired", issued_at: 1 },
    { defect: "expired", claims: { exp: 1 } },
    { defect: "not-yet-valid", claims: { nbf: null } },
    { defect: "not-yet-valid", expires_in: 1 },
    { defect: "wrong-audience", claims: { aud: "a" } },
    { defect: "wrong-issuer", claims: { iss: "a" } },
    { defect: "tampered", claims: { jti: "a" } },
    { expires_in: 1, claims: { exp: 1 } },
    { issued_at: 1, claims: { iat: 1 } },
    ...["expired", "tampered"].map((defect) => ({ defect, expired: true })),
    { claims: {}, expired: true },
    { expires_in: 1, expired: true },
  ];
  for (const fields of nonsense) assertRefused(await auth(fields));
  const texts: Record<string, string>[] = [
    { defect: "expired " },
    { claims: "{" },
    { claims: "[]" },
    { claims: '{"a":1,"a":2}' },
    { claims: '{"a":{"b":1,"\\u0062":2}}' },
    { expires_in: "1e3" },
    { expires_in: " 1" },
    { expires_in: "0x10" },
    { issued_at: "-1" },
    { issued_at: "1".repeat(400) },
  ];
  for (const fields of texts) {
    assertRefused(await authForm(fields));
    assertRefused(await ask(fields));
    assertRefused(await auth({}, `?${new URLSearchParams(fields)}`));
  }
  assertRefused(await auth({ defect: "expired" }, "?defect=expired"), /two places/);
  assertRefused(await ask({ defect: "expired" }, "?defect=tampered"), /two places/);
  assertRefused(await auth({}, "?defect=expired&defect=expired"));
  assertRefused(await auth({ defect: "expired" }, "?expired=true"));
  assert.equal(await logCount(), 0, "nothing was checked");
  assert.equal((await auth({ expired: true })).status, 200);
  assert.equal(
    (await ask({ defect: "", claims: "" })).body.expires_in,
    POLICY.tokenTtl,
    "not sent",
  );
});

Deno.test("claims in a query are no longer than in a body, and refused before anybody compares them", async () => {
  const { auth } = await makeTestApp();
  const nested = (depth: number) => `{"a":${"[".repeat(depth)}${"]".repeat(depth)}}`;
  const many = Array.from({ length: 7000 }, (_, number) => `"${number}":0`);
  for (const claims of [nested(20_000), `{${many}}`, `{"a":"${"x".repeat(8192)}"}`]) {
    const query = `?claims=${encodeURIComponent(claims)}`;
    assertRefused(await auth({}, query), /^claims must have at most 8192 characters$/);
  }
  const deepest = nested((8192 - '{"a":}'.length) / 2);
  assert.equal((await auth({}, `?claims=${encodeURIComponent(deepest)}`)).status, 200);
});

async function counted() {
  const made = await makeTestApp();
  return { ...made, logCount: async () => (await made.storage.newestAuthentications(9)).length };
}

Deno.test("a test token is on record, in the log and in the metrics", async () => {
  const told: string[] = [];
  const observer: Observer = {
    answered() {},
    limited() {},
    authenticated() {},
    issued: (grant, alg) => void told.push(`${grant} ${alg}`),
  };
  const { auth, ask, lines, storage } = await makeTestApp({ app: { observer } });
  const { body } = await auth({ defect: "tampered" });
  await ask({ claims: '{"aud":["a",{"b":"\\n"}]}' });
  await ask({ defect: "alg-none" });
  const audit = lines.map((line) => JSON.parse(line)).filter((line) => line.audit);
  const [tampered, claimed, none] = audit;
  assert.deepEqual([tampered.grant, tampered.test, tampered.defect], ["test", true, "tampered"]);
  assert.equal(tampered.jti, read(body.token).claims.jti);
  assert.deepEqual([claimed.grant, claimed.test, claimed.defect], ["test", true, undefined]);
  assert.deepEqual(claimed.audience, ["a", '{"b":"\\n"}']);
  assert.equal(none.defect, "alg-none");
  assert.deepEqual(told, ["test ES256", "test ES256", "test none"]);
  const rows = await storage.newestAuthentications(9);
  assert.deepEqual(rows.map(({ username }) => username), ["svc", "svc", "svc"]);
  assert.ok(!lines.join("\n").includes(body.token));
});

Deno.test("a test token needs the right password", async () => {
  const { post, grant, send } = await makeTestApp();
  const wrong = { client_id: "svc", client_secret: "wrong", defect: "alg-none" };
  assert.equal((await post("/token", { ...grant, ...wrong })).status, 401);
  const auth = json({ username: "svc", password: "wrong", claims: { sub: "root" } });
  assert.equal((await send("/auth", auth)).status, 401);
});

Deno.test("where test tokens are off, nothing gives anything but a usual token or a refusal", async () => {
  const made = await makeTestApp({ testTokens: false });
  const { auth, authForm, ask, ring, time } = made;
  const signer = await ring.signer();
  const key = await importJWK(signer.publicJwk, signer.alg);
  const seen = { refused: 0, given: 0 };
  const check = async ({ status, body }: Said, hasDefect: boolean) => {
    if (hasDefect) {
      assert.deepEqual([status, body], [400, {
        error: "invalid_request",
        error_description: "Test tokens are switched off",
      }]);
      return void seen.refused++;
    }
    assert.equal(status, 200, JSON.stringify(body));
    const { token, access_token, expires_in } = body;
    const { header, claims } = read(token ?? access_token);
    const typ = token ? "JWT" : "at+jwt";
    assert.deepEqual(header, { alg: "ES256", kid: signer.kid, typ });
    const { jti: _, ...said } = claims;
    const [iat, exp] = [time.seconds, time.seconds + POLICY.tokenTtl];
    const usual = { iss: ISSUER, sub: "svc", aud: ISSUER, client_id: "svc", iat, exp };
    assert.deepEqual(said, usual);
    assert.equal(expires_in, POLICY.tokenTtl);
    await compactVerify(token ?? access_token, key);
    seen.given++;
  };
  const maybe = <T>(value: fc.Arbitrary<T>) => fc.option(value, { nil: undefined, freq: 2 });
  const anything = fc.jsonValue({ maxDepth: 1 });
  const fields = fc.record({
    defect: maybe(fc.oneof(fc.constantFrom(...DEFECT_NAMES, "", "none"), anything)),
    claims: maybe(fc.oneof(fc.constant({ sub: "root", exp: 9e9 }), anything)),
    expires_in: maybe(fc.oneof(fc.integer(), anything)),
    issued_at: maybe(fc.oneof(fc.integer(), anything)),
  });
  const textsOf = (sent: Fields) =>
    Object.fromEntries(
      Object.entries(sent).filter(([, value]) => value !== undefined)
        .map(([name, value]) => [name, typeof value === "string" ? value : JSON.stringify(value)]),
    );
  await fc.assert(
    fc.asyncProperty(fields, async (sent) => {
      const texts = textsOf(sent);
      const isText = (texts.defect ?? "") !== "";
      await check(await auth(JSON.parse(JSON.stringify(sent))), sent.defect !== undefined);
      await check(await auth({}, `?${new URLSearchParams(texts)}`), isText);
      await check(await authForm(texts), isText);
      await check(await ask(texts), isText);
      await check(await ask({}, `?${new URLSearchParams(texts)}`), isText);
    }),
    { numRuns: 40 },
  );
  assert.ok(seen.refused > 10 && seen.given > 10, JSON.stringify(seen));
});
