import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { createPage } from "../../../lib/http/page/page.ts";
import { keyState } from "../../../lib/rotation/policy.ts";
import { type AppOptions, FakeClock, ISSUER, json, makeApp, wrapStorage } from "../../support.ts";

const HOSTILE = `</script><img src=x onerror='alert(1)'>"&`;

const FACTS = {
  issuer: ISSUER,
  jwksUri: undefined,
  metadataPath: "/metadata",
  audience: ISSUER,
  registration: true,
  expiredTokens: true,
};

async function getPage(options: AppOptions = {}, path = "/") {
  const app = await makeApp({ policy: { alg: "ES256" }, ...options });
  const response = await app.send(path);
  return { ...app, response, text: await response.text() };
}

function hashes(text: string, element: string): string[] {
  const found = text.matchAll(new RegExp(`<${element}[^>]*>([^]*?)</${element}>`, "g"));
  return [...found].map(([, content]) => {
    return `'sha256-${createHash("sha256").update(content!).digest("base64")}'`;
  });
}

Deno.test("GET / is a page that a browser keeps to itself", async () => {
  const { response, text } = await getPage();
  assert.equal(response.status, 200);
  const { headers } = response;
  assert.equal(headers.get("content-type"), "text/html; charset=utf-8");
  assert.equal(headers.get("content-length"), String(new TextEncoder().encode(text).length));
  assert.equal(headers.get("cache-control"), "no-cache");
  assert.equal(headers.get("referrer-policy"), "no-referrer");
  assert.equal(headers.get("access-control-allow-origin"), null);
  assert.match(text, /^<!DOCTYPE html>\n<html lang="en">/);
});

Deno.test("the page runs the one style and the one script that its policy names, and nothing inline beside", async () => {
  const { response, text } = await getPage();
  const policy = response.headers.get("content-security-policy")!.split("; ");
  const [style, ...styles] = hashes(text, "style");
  const [script, ...scripts] = hashes(text, "script");
  assert.deepEqual([styles, scripts], [[], []]);
  assert.deepEqual(policy, [
    "default-src 'none'",
    `style-src ${style}`,
    `script-src ${script}`,
    "connect-src 'self'",
    "img-src data:",
    "form-action 'none'",
    "base-uri 'none'",
    "frame-ancestors 'none'",
    "require-trusted-types-for 'script'",
    "trusted-types 'none'",
  ]);
  assert.doesNotMatch(text.replace(/<script[^]*?<\/script>/, ""), /<[^>]+\s(?:on\w+|style)=/);
  assert.doesNotMatch(/<script[^]*?<\/script>/.exec(text)![0], /^import /m);
  assert.doesNotMatch(text, /(?:src|href)="(?!https:\/\/issuer\.example|data:|#main)/);
});

Deno.test("HEAD of the page is GET without a body; every other method is 405", async () => {
  const { send, response } = await getPage();
  const head = await send("/", { method: "HEAD" });
  assert.deepEqual([...head.headers], [...response.headers]);
  assert.equal(await head.text(), "");
  for (const method of ["POST", "PUT", "DELETE", "OPTIONS", "PROPFIND"]) {
    const refused = await send("/", { method });
    assert.equal(refused.status, 405, method);
    assert.equal(refused.headers.get("allow"), "GET, HEAD");
  }
});

Deno.test("PAGE=off leaves nothing at /", async () => {
  const { send } = await makeApp({ policy: { alg: "ES256" }, app: { page: false } });
  for (const method of ["GET", "POST"]) {
    const response = await send("/", { method });
    assert.equal(response.status, 404);
    assert.equal((await response.json()).error, "not_found");
  }
});

Deno.test("the page shows every published key with its state and next change, and no other key", async () => {
  const { text, ring, time } = await getPage();
  const states = ring.keys.map((key) => [key.kid, keyState(key, time.seconds)] as const);
  assert.equal(states.length, 3);
  for (const [kid, state] of states) {
    assert.equal(text.includes(kid), state !== "born expired", state);
  }
  assert.match(text, /<span class="state active">active<\/span>[^]*?only verifies in 30 days/);
  assert.match(text, /<span class="state next">next<\/span>[^]*?signs in 30 days/);
  assert.match(text, /<time class="when" datetime="2030-01-31T00:00:00.000Z">2030-01-31 00:00 UTC/);
  assert.match(text, /<desc id="timeline-text">Key \d+ signs now until 2030-01-31 00:00 UTC/);
  assert.match(text, /a new key, in 30 days/);
});

Deno.test("the page holds nothing of users, secrets and private keys", async () => {
  const app = await makeApp({ policy: { alg: "ES256" } });
  const registered = await app.send(
    "/register",
    json({ username: "mallory", email: "m@x.example" }),
  );
  const { password } = await registered.json();
  const text = await (await app.send("/")).text();
  for (const secret of ["mallory", "m@x.example", password]) assert.ok(!text.includes(secret));
  assert.doesNotMatch(text, /BEGIN [A-Z ]+KEY|"d":|\$argon2/);
});

Deno.test("what the configuration says is escaped wherever it stands", async () => {
  const { text } = await getPage({ app: { audience: HOSTILE } });
  assert.ok(!text.includes(HOSTILE) && !text.includes("<img"));
  const escaped = "&lt;/script&gt;&lt;img src=x onerror=&#39;alert(1)&#39;&gt;&quot;&amp;";
  assert.ok(text.includes(`value="${escaped}"`));
});

Deno.test("a kid is text on the page, whatever characters it has", async () => {
  const { ring, time } = await getPage();
  const keys = ring.keys.map((key) => ({ ...key, kid: HOSTILE }));
  const { draw } = createPage({
    ring: { keys, policy: ring.policy },
    clock: time.clock,
    ...FACTS,
  });
  const text = new TextDecoder().decode((await draw()).body);
  assert.ok(!text.includes("<img") && text.includes("<code>&lt;/script&gt;&lt;img src=x"));
});

Deno.test("the page offers what the server does: closed registration and no expired tokens are no forms", async () => {
  const open = await getPage();
  assert.match(open.text, /<form id="register-form"/);
  assert.match(open.text, /expired=true/);
  const { text } = await getPage({
    policy: { alg: "ES256", expiredTokens: false },
    app: { registration: false },
  });
  assert.doesNotMatch(text, /<form id="register-form"|issuer\.example\/register|expired=true/);
  assert.doesNotMatch(text, /value="expired"/);
  assert.match(text, /Registration is closed here/);
});

Deno.test("without a script the page has no form, and the curl lines in the place of each", async () => {
  const { text } = await getPage();
  for (const [form] of text.matchAll(/<(?:form|button)[^>]*>/g)) {
    const isWithin = /type="submit"|id="tamper"/.test(form); // of what is hidden as a whole
    assert.ok(isWithin || / hidden /.test(form), form);
  }
  for (const path of ["/register", "/auth", "/token", "/.well-known/jwks.json"]) {
    assert.match(text, new RegExp(`<code[^>]*>curl -s ${ISSUER}${path}`));
  }
});

Deno.test("an issuer with a path has the page below it, with links that lead there", async () => {
  const issuerUrl = `${ISSUER}/tenant`;
  const app = { issuerUrl };
  for (const path of ["/", "/tenant", "/tenant/"]) {
    const { response, text } = await getPage({ app }, path);
    assert.equal(response.status, 200, path);
    assert.ok(text.includes(`href="${issuerUrl}/.well-known/jwks.json"`));
    assert.ok(text.includes(`href="${ISSUER}/.well-known/oauth-authorization-server/tenant"`));
    assert.ok(text.includes(`curl -s ${issuerUrl}/register`));
  }
  assert.equal((await getPage({ app }, "/tenant/x")).response.status, 404);
});

Deno.test("keys that are published elsewhere are linked and may be asked there", async () => {
  const jwksUri = "https://keys.example:8443/a/jwks.json";
  const { response, text } = await getPage({ app: { jwksUri } });
  assert.match(
    response.headers.get("content-security-policy")!,
    /; connect-src 'self' https:\/\/keys\.example:8443;/,
  );
  assert.ok(text.includes(`data-jwks="${jwksUri}"`) && text.includes(`href="${jwksUri}"`));
});

Deno.test("without a published key the page says so, as 503", async () => {
  const { send, time } = await getPage();
  time.advance(100 * 365 * 86_400);
  const response = await send("/", { headers: { "if-none-match": "*" } });
  assert.equal(response.status, 503);
  assert.equal(response.headers.get("retry-after"), "1");
  const text = await response.text();
  assert.match(text, /No key is published just now/);
  assert.doesNotMatch(text, /<svg class="timeline"/);
});

Deno.test("the page is 304 within its minute, and another one when the minute or a key is", async () => {
  const halfPast = new FakeClock(Date.UTC(2030, 0, 1, 0, 0, 30)); // so that keys change within minutes
  const { send, time, response, ring } = await getPage({ time: halfPast });
  const etag = response.headers.get("etag")!;
  const status = async () => (await send("/", { headers: { "if-none-match": etag } })).status;
  const text = async () => await (await send("/")).text();
  assert.equal(await status(), 304);
  time.advance(29);
  assert.equal(await status(), 304);
  time.advance(1);
  assert.equal(await status(), 200);
  const before = time.now;
  time.now = (ring.keys[0]!.signUntil - 1) * 1000;
  assert.match(await text(), /signs in 1 second /);
  time.advance(1);
  assert.match(await text(), /<span class="state passive">passive/);
  time.now = before;
  assert.match(await text(), /signs in 30 days/);
});

Deno.test("a page is drawn once, however often it is asked for, and never asks the storage", async () => {
  let reads = 0;
  const made = await makeApp({ policy: { alg: "ES256" } });
  const counting = wrapStorage(made.storage, (own) => ({
    revision: () => (reads++, own.revision()),
    readKeys: () => (reads++, own.readKeys()),
  }));
  const { send, ring, time } = await makeApp({ time: made.time, storage: counting });
  reads = 0;
  const { draw } = createPage({
    ring,
    clock: time.clock,
    ...FACTS,
  });
  const page = await draw();
  for (let count = 0; count < 10; count++) {
    assert.equal(await draw(), page);
    assert.equal((await send("/")).status, 200);
  }
  assert.equal(reads, 0);
  await ring.change((held) => ({ remove: [String(held.at(-1)!.id)] }));
  await ring.maintain();
  assert.notEqual(await draw(), page);
});
