import assert from "node:assert/strict";
import { createRequestIssuerHandler } from "../../lib/http/request_issuer.ts";
import { createIsTrustedProxy } from "../../lib/http/client_address.ts";

const PROXY = "10.0.0.1";

/** A handler that answers with the issuer's name, and the names for which one was made. */
function makeHandler(scheme: "http" | "https" = "http") {
  const made: string[] = [];
  const handler = createRequestIssuerHandler({
    scheme,
    isTrustedProxy: createIsTrustedProxy(["10.0.0.0/8"]),
    handlerOf: (issuer) => {
      made.push(issuer);
      return () => new Response(issuer);
    },
  });
  const ask = async (
    url: string,
    headers: Record<string, string> = {},
    hostname = "192.0.2.1",
  ): Promise<string> => {
    const info = { remoteAddr: { hostname } } as Deno.ServeHandlerInfo<Deno.NetAddr>;
    const answer = await handler(new Request(url, { headers }), info);
    return answer.status === 200 ? await answer.text() : `${(await answer.json()).error}`;
  };
  return { made, ask };
}

Deno.test("a request is answered as the issuer that it names, in the normal form", async () => {
  const { ask } = makeHandler();
  for (
    const [url, issuer] of [
      ["http://localhost:8080/auth?a=b", "http://localhost:8080"],
      ["http://jwks-server:8080/", "http://jwks-server:8080"],
      ["http://localhost:80/auth", "http://localhost"],
      ["http://A.Example/auth", "http://a.example"],
      ["http://[::1]:8080/auth", "http://[::1]:8080"],
    ] as const
  ) assert.equal(await ask(url), issuer);
  assert.equal(await makeHandler("https").ask("http://a.example:8443/"), "https://a.example:8443");
});

Deno.test("what a trusted proxy says of the request counts, and what anybody else says does not", async () => {
  const { ask } = makeHandler();
  const url = "http://inside:8080/auth";
  const both = { "x-forwarded-proto": "https", "x-forwarded-host": "auth.example" };
  assert.equal(await ask(url, both, PROXY), "https://auth.example");
  for (const peer of ["192.0.2.1", "", "unix", "11.0.0.1"]) {
    assert.equal(await ask(url, both, peer), "http://inside:8080", peer);
  }
  assert.equal(await ask(url, {}, PROXY), "http://inside:8080");
  assert.equal(await ask(url, { "x-forwarded-proto": "https" }, PROXY), "https://inside:8080");
  assert.equal(await ask(url, { "x-forwarded-host": "a:81" }, `::ffff:${PROXY}`), "http://a:81");
  const listed = { "x-forwarded-proto": "http, https", "x-forwarded-host": "evil.example, a:443" };
  assert.equal(await ask(url, listed, PROXY), "https://a", "only what the proxy itself has added");
});

Deno.test("a proxy that says what cannot be is refused", async () => {
  const { ask, made } = makeHandler();
  for (const host of ["", "a/b", "a@b", "a,", "a b", "a:99999", "http://a"]) {
    assert.equal(await ask("http://a/", { "x-forwarded-host": host }, PROXY), "invalid_request");
  }
  for (const proto of ["", "ftp", "HTTPS", "https:", "http s"]) {
    assert.equal(await ask("http://a/", { "x-forwarded-proto": proto }, PROXY), "invalid_request");
  }
  assert.deepEqual(made, []);
});

Deno.test("the handlers of the issuers that were named last are kept, and no more than 32", async () => {
  const { made, ask } = makeHandler();
  const ours = "http://ours/";
  await ask(ours);
  for (let round = 0; round < 100; round++) {
    await ask(`http://other-${round}/`);
    await ask(ours);
  }
  assert.equal(made.length, 101, "ours was made once");
  for (let round = 69; round < 100; round++) await ask(`http://other-${round}/`);
  assert.equal(made.length, 101, "31 others are kept beside it");
  await ask("http://other-68/");
  assert.equal(made.length, 102);
});
