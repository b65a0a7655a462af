import assert from "node:assert/strict";
import { issuerPath, metadataPaths } from "../../lib/http/metadata.ts";
import { ERROR_STATUS } from "../../lib/http/response.ts";
import { describeApi } from "../../lib/http/openapi/document.ts";
import { JwkSet } from "../../lib/http/public_schemas.ts";
import { SIGNING_ALGORITHMS } from "../../lib/keys/algorithms.ts";
import { generatePrivateJwk, isSupported, toPublicJwk } from "../../lib/keys/signing_key.ts";
import project from "../../deno.json" with { type: "json" };
import { ISSUER, makeApp } from "../support.ts";
import { Description, EVERYTHING } from "./described_answer.ts";

const PATH = "/openapi.json";

async function documentOf(options: Parameters<typeof makeApp>[0] = {}) {
  const { app, send } = await makeApp(options);
  const response = await send(PATH);
  assert.equal(response.status, 200);
  return { app, send, document: await response.json() };
}

interface Operation {
  responses: Record<string, object>;
}

interface Content {
  schema: object;
  example?: unknown;
  examples?: Record<string, { value: unknown }>;
}

/** All values under this name, at whatever depth. */
function* valuesOf(name: string, value: unknown): Generator<unknown> {
  if (typeof value !== "object" || value === null) return;
  for (const [key, inner] of Object.entries(value)) {
    if (key === name) yield inner;
    yield* valuesOf(name, inner);
  }
}

Deno.test("GET of the description is OpenAPI 3.1 of this issuer and this version", async () => {
  const { document } = await documentOf();
  assert.match(document.openapi, /^3\.1\./);
  assert.deepEqual(document.servers, [{ url: ISSUER }]);
  assert.equal(document.info.version, project.version);
});

Deno.test("GET of the description is 304 for who holds it, and may be read by pages of any origin", async () => {
  const { send } = await makeApp();
  const whole = await send(PATH);
  const etag = whole.headers.get("etag")!;
  const again = await send(PATH, { headers: { "if-none-match": etag } });
  assert.equal(again.status, 304);
  for (const { headers } of [whole, again]) {
    assert.equal(headers.get("access-control-allow-origin"), "*");
    assert.equal(headers.get("etag"), etag);
  }
});

Deno.test("The description has every route of the app, and no other", async () => {
  for (const issuerUrl of [ISSUER, `${ISSUER}/tenant`]) {
    const { app, document } = await documentOf({ app: { issuerUrl } });
    const base = issuerPath(issuerUrl);
    const [elsewhere] = metadataPaths(issuerUrl);
    const described = Object.entries<{ servers?: unknown }>(document.paths)
      .map(([path, { servers }]) => servers === undefined ? `${base}${path}` : path);
    const isBelow = (path: string) => path.startsWith(`${base}/`) || path === elsewhere;
    const routed = app.routes.map(({ path }) => path).filter((path) =>
      base === "" || isBelow(path)
    );
    assert.deepEqual(new Set(described), new Set(routed), issuerUrl);
  }
});

Deno.test("The description has every method of a route, and no other", async () => {
  const { send, document } = await documentOf();
  const methods = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "PURGE"];
  for (const [path, item] of Object.entries<object>(document.paths)) {
    const described = methods.filter((method) => method.toLowerCase() in item);
    for (const [index, method] of methods.entries()) {
      const response = await send(path, { method }, `192.0.2.${index + 1}`);
      const isDescribed = described.includes(method);
      assert.equal(response.status !== 405, isDescribed, `${method} ${path}`);
      if (!isDescribed) assert.equal(response.headers.get("allow"), described.join(", "));
    }
  }
});

Deno.test("The description has the answers of GET for HEAD, without their bodies", () => {
  const { paths } = describeApi(EVERYTHING);
  for (const { get, head } of Object.values<{ get?: Operation; head?: Operation }>(paths)) {
    if (get === undefined) continue;
    assert.deepEqual(Object.keys(head!.responses), Object.keys(get.responses));
    assert.deepEqual([...valuesOf("content", head!.responses)], []);
  }
});

Deno.test("The description has every error that a client may see, with its status", () => {
  const { paths, components, info } = describeApi(EVERYTHING) as ReturnType<typeof describeApi> & {
    info: { description: string };
  };
  const codes = Object.keys(ERROR_STATUS) as (keyof typeof ERROR_STATUS)[];
  assert.deepEqual(
    new Set(
      [...valuesOf("error", components.schemas!.Error)].flatMap((error) =>
        (error as { enum: string[] }).enum
      ),
    ),
    new Set([...codes, "server_error"]),
  );
  const elsewhere = ["method_not_allowed"]; // no method that is described is answered with it
  for (const code of codes) {
    const status = String(ERROR_STATUS[code]);
    assert.ok(info.description.includes(`| ${status} | \`${code}\` |`), code);
    const told = [...valuesOf(status, paths)].filter((response) =>
      [...valuesOf("examples", response)].some((examples) => code in (examples as object))
    );
    assert.equal(told.length > 0, !elsewhere.includes(code), code);
  }
});

Deno.test("describeApi() tells only of what the server has", () => {
  const bare = describeApi({
    ...EVERYTHING,
    registration: false,
    expiredTokens: false,
    page: false,
    testTokens: false,
  });
  const whole = describeApi(EVERYTHING);
  const paths = (document: typeof bare) => new Set(Object.keys(document.paths));
  assert.deepEqual(paths(whole).difference(paths(bare)), new Set(["/register", "/"]));
  const names = (document: typeof bare) => new Set(valuesOf("name", document.paths));
  assert.deepEqual(
    names(whole).difference(names(bare)),
    new Set(["expired", "defect", "claims", "expires_in", "issued_at"]),
  );
  for (const name of ["expired", "Registration", "defect"]) {
    assert.ok(JSON.stringify(whole.components.schemas).includes(`"${name}"`), name);
    assert.ok(!JSON.stringify(bare.components.schemas).includes(`"${name}"`), name);
  }
});

Deno.test("Every example in the description is one that its schema allows", () => {
  const document = describeApi(EVERYTHING);
  const description = new Description(document);
  let checked = 0;
  for (const content of valuesOf("content", document.paths)) {
    for (const { schema, example, examples } of Object.values(content as Record<string, Content>)) {
      const values = Object.values(examples ?? {}).map(({ value }) => value);
      for (const value of example === undefined ? values : [example]) {
        assert.equal(description.schemaFault(schema, value), undefined, JSON.stringify(value));
        checked++;
      }
    }
  }
  assert.ok(checked > 50);
});

Deno.test("The schema of the JWK set allows the keys of every algorithm, and no private member", async () => {
  for (const alg of Object.keys(SIGNING_ALGORITHMS) as (keyof typeof SIGNING_ALGORITHMS)[]) {
    if (!await isSupported(alg)) continue;
    const jwk = await generatePrivateJwk(alg);
    const keys = [toPublicJwk(jwk, "1", alg)];
    assert.deepEqual(JwkSet.parse({ keys }), { keys }, alg);
  }
});

Deno.test("What is answered otherwise than described is told, whatever it is", () => {
  const description = new Description(describeApi(EVERYTHING));
  const asked = { method: "POST", path: "/auth" };
  const headers = new Headers({
    "content-type": "application/json",
    "cache-control": "no-store",
    "x-content-type-options": "nosniff",
    "retry-after": "1",
  });
  const body = { error: "rate_limited", error_description: "At most 10" };
  const answer = { status: 429, headers, text: JSON.stringify(body) };
  assert.equal(description.fault(asked, answer), undefined);
  const without = (name: string) => {
    const fewer = new Headers(headers);
    fewer.delete(name);
    return { headers: fewer };
  };
  const others = [
    [asked, { status: 418 }],
    [asked, { status: 503 }],
    [asked, without("retry-after")],
    [asked, without("content-type")],
    [asked, { headers: new Headers([...headers, ["retry-after", "0"]]) }],
    [asked, { text: JSON.stringify({ ...body, error: "overloaded" }) }],
    [asked, { text: JSON.stringify({ ...body, more: 1 }) }],
    [asked, { text: JSON.stringify({ error: "rate_limited" }) }],
    [{ ...asked, path: "/nothing" }, {}],
    [{ ...asked, method: "PUT" }, {}],
    [{ method: "HEAD", path: "/healthz" }, { status: 503 }],
  ] as const;
  for (const [request, change] of others) {
    const fault = description.fault(request, { ...answer, ...change });
    assert.notEqual(fault, undefined, JSON.stringify([request, change]));
  }
});
