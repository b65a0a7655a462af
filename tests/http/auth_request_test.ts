import assert from "node:assert/strict";
import { readAuthRequest, readQuery } from "../../lib/http/request.ts";
import { ALICE, assertRefused, post } from "./posted.ts";

const BODY = JSON.stringify(ALICE);

/** The value of Authorization for these credentials, or for any text. */
function basic(text: string): Record<string, string> {
  const bytes = new TextEncoder().encode(text);
  return { authorization: `Basic ${btoa(String.fromCharCode(...bytes))}` };
}

/** A POST with Authorization and without any body. */
function bodyless(headers: Record<string, string>): Request {
  return new Request("http://localhost/auth", { method: "POST", headers });
}

Deno.test("readAuthRequest() asks for an expired token for expired=true only", async () => {
  const isExpired = async (query: string) =>
    (await readAuthRequest(post(BODY, {}, query))).isExpired;
  assert.equal(await isExpired("?expired=true"), true);
  for (const query of ["", "?", "?expired=false", "?other=true"]) {
    assert.equal(await isExpired(query), false, query);
  }
  for (const value of ["", "TRUE", "1", "yes", "true%20"]) {
    await assertRefused(() => isExpired(`?expired=${value}`), "invalid_request", value);
  }
  await assertRefused(() => isExpired("?expired"), "invalid_request");
});

Deno.test("readAuthRequest() takes the wish for an expired token from any place that has it", async () => {
  for (const [query, expired, wanted] of [["?expired=true", false, true], ["", true, true]]) {
    const request = () => JSON.stringify({ ...ALICE, expired });
    assert.equal((await readAuthRequest(post(request(), {}, `${query}`))).isExpired, wanted);
    const both = post(request(), basic("alice:secret"), `${query}`);
    assert.equal((await readAuthRequest(both)).isExpired, wanted);
  }
});

Deno.test("readQuery() refuses a repeated parameter and credentials, whatever the route", async () => {
  const names = ["username", "password", "client_id", "client_secret", "client_assertion", "token"];
  const queries = [
    "expired=true&expired=true",
    "a=1&a=2",
    "password",
    ...names.map((n) => `${n}=a`),
  ];
  for (const query of [...queries, "expired=true&p%61ssword=b", "e%78pired=true&expired=false"]) {
    const request = post(BODY, {}, `?${query}`);
    const message = await assertRefused(() => readQuery(request), "invalid_request", query);
    assert.doesNotMatch(message, /secret|alice/);
    await assertRefused(() => readAuthRequest(request), "invalid_request", query);
  }
});

Deno.test("readAuthRequest() takes Basic credentials, without a body and beside one", async () => {
  const requests = [
    bodyless(basic("alice:secret")),
    bodyless({ authorization: basic("alice:secret").authorization!.replace("Basic", "bASIC  ") }),
    bodyless({ ...basic("alice:secret"), "content-length": "0" }),
    post("{}", basic("alice:secret")),
    post('{"username":"alice"}', basic("alice:secret")),
    post('{"password":"secret"}', basic("alice:secret")),
    post(BODY, basic("alice:secret")),
  ];
  for (const request of requests) {
    const { credentials, isExpired } = await readAuthRequest(request);
    assert.deepEqual({ credentials, isExpired }, { credentials: ALICE, isExpired: false });
  }
});

Deno.test("readAuthRequest() takes a Basic password with colons, and one that is not ASCII", async () => {
  for (const password of ["a:b", ":", "a::b:", "pässwörd→𝔛", " a ", "\ufeffa"]) {
    const { credentials } = await readAuthRequest(bodyless(basic(`alice:${password}`)));
    assert.deepEqual(credentials, { username: "alice", password });
  }
});

Deno.test("readAuthRequest() refuses credentials that differ between the two places", async () => {
  const others = [
    { username: "alice", password: "another" },
    { username: "bob", password: "secret" },
    { username: "ALICE", password: "secret" },
    { username: "alice", password: "secret " },
    { password: "another" },
    { username: "bob" },
  ];
  for (const other of others) {
    const request = post(JSON.stringify(other), basic("alice:secret"));
    const message = await assertRefused(() => readAuthRequest(request), "invalid_request");
    assert.doesNotMatch(message, /alice|bob|secret|another/);
  }
});

/** Asserts that this header is refused, with a right body and without any. */
async function assertMalformed(authorization: string): Promise<void> {
  for (const request of [bodyless({ authorization }), post(BODY, { authorization })]) {
    const read = () => readAuthRequest(request);
    const message = await assertRefused(read, "invalid_request", authorization);
    assert.doesNotMatch(message, /alice|secret|YWxp/);
  }
}

Deno.test("readAuthRequest() refuses malformed Basic credentials, whatever the body says", async () => {
  const malformed = [
    "Basic !!!",
    "Basic YWxpY2U6c2VjcmV0=", // base64 with one sign of padding too many
    "Basic YWxpY2U6/",
    "Basic YWxp-_==",
    `Basic ${btoa("alice")}`, // no colon
    `Basic ${btoa(":secret")}`,
    `Basic ${btoa("alice:")}`,
    `Basic ${btoa("alice:\xff")}`, // not UTF-8
    `Basic ${btoa("alice:\xc3")}`,
  ];
  for (const authorization of malformed) await assertMalformed(authorization);
});

Deno.test("readAuthRequest() refuses Basic with no token of credentials, or with several", async () => {
  const token = basic("alice:secret").authorization!.slice("Basic ".length);
  for (const tokens of ["", `${token} ${token}`, `${token}, Basic ${token}`]) {
    await assertMalformed(`Basic ${tokens}`);
  }
});

Deno.test("readAuthRequest() ignores every other scheme", async () => {
  for (const authorization of ["Bearer abc", "Digest a=b", "Basically YWxpY2U6eA==", "x", ""]) {
    const { credentials } = await readAuthRequest(post(BODY, { authorization }));
    assert.deepEqual(credentials, ALICE, authorization);
  }
});

Deno.test("readAuthRequest() refuses a body that is encoded, and does not decode it", async () => {
  for (const coding of ["gzip", "deflate", "br", "x-gzip", "gzip, br"]) {
    for (const headers of [{}, basic("alice:secret")]) {
      const request = post(BODY, { ...headers, "content-encoding": coding });
      await assertRefused(() => readAuthRequest(request), "unsupported_media_type", coding);
      assert.equal(request.bodyUsed, false);
    }
  }
});

Deno.test("readAuthRequest() takes UTF-8 under all its names, and no other charset", async () => {
  const type = (parameter: string) => ({ "content-type": `application/json${parameter}` });
  for (const charset of ["utf-8", "UTF-8", '"utf-8"', '"UTF-8"', "utf8", "Utf-8"]) {
    for (const name of ["charset", "CharSet", "x=y; charset"]) {
      const { credentials } = await readAuthRequest(post(BODY, type(`; ${name}=${charset}`)));
      assert.deepEqual(credentials, ALICE, charset);
    }
  }
  for (const charset of ["iso-8859-1", '"utf-16"', "UTF-16LE", "us-ascii", "utf-80", "", '""']) {
    for (const name of ["charset", "CHARSET", "x=y;charset"]) {
      const request = post(BODY, type(`;${name}=${charset}`));
      await assertRefused(() => readAuthRequest(request), "unsupported_media_type", charset);
    }
  }
});

/** A form, as `POST /auth` takes it. */
function form(body: string, headers: Record<string, string> = {}): Request {
  const type = "application/x-www-form-urlencoded";
  return new Request("http://x/auth", {
    method: "POST",
    headers: { "content-type": type, ...headers },
    body,
  });
}

Deno.test("readAuthRequest() takes a form for what JSON says", async () => {
  const plain = await readAuthRequest(form("username=alice&password=a%20b%2B%C3%A4+c"));
  assert.deepEqual(plain.credentials, { username: "alice", password: "a b+ä c" });
  assert.equal(plain.isExpired, false);
  for (const [expired, isExpired] of [["true", true], ["false", false]] as const) {
    const read = await readAuthRequest(form(`username=a&password=b&expired=${expired}`));
    assert.equal(read.isExpired, isExpired);
  }
  const { credentials } = await readAuthRequest(form("username=alice", basic("alice:secret")));
  assert.deepEqual(credentials, { username: "alice", password: "secret" });
});

Deno.test("readAuthRequest() refuses a form that is none, repeats itself or lacks something", async () => {
  const refused = ["username=a&username=a&password=b", "username=a", "username=a&password=", ""];
  const odd = [
    "username=a&password=%ff",
    "username=a&password=%",
    "username=a&password=b&expired=1",
  ];
  for (const body of [...refused, ...odd]) {
    await assertRefused(() => readAuthRequest(form(body)), "invalid_request", body);
  }
  const latin = { "content-type": "application/x-www-form-urlencoded; charset=latin1" };
  await assertRefused(
    () => readAuthRequest(form("username=a&password=b", latin)),
    "unsupported_media_type",
  );
});
