import assert from "node:assert/strict";
import { isDomainError } from "../../lib/base/errors.ts";
import { staticFiles } from "../../lib/http/static_copy.ts";
import { failureOf, makeApp } from "../support.ts";

const SET = '{"keys":[]}';

function pathsOf(issuer: string, jwksUri?: string): string[] {
  return staticFiles(SET, { issuer, jwksUri, alg: "ES256" }).map(({ path }) => path);
}

Deno.test("staticFiles() have the paths at which the server has the same, the set before what names it", () => {
  const openid = ".well-known/openid-configuration";
  const server = ".well-known/oauth-authorization-server";
  for (const issuer of ["https://a.example", "https://a.example/"]) {
    assert.deepEqual(pathsOf(issuer), [".well-known/jwks.json", server, openid]);
  }
  assert.deepEqual(pathsOf("https://a.example/b/c"), [
    "b/c/.well-known/jwks.json",
    `${server}/b/c`,
    `b/c/${openid}`,
  ]);
  assert.deepEqual(pathsOf("https://a.example", "https://cdn.example/k/keys%20now.json"), [
    ".well-known/jwks.json",
    "k/keys now.json",
    server,
    openid,
  ]);
});

Deno.test("staticFiles() hold byte for byte what the server answers", async () => {
  for (const issuerUrl of ["https://issuer.example", "https://issuer.example/tenant"]) {
    const { send, ring } = await makeApp({ app: { issuerUrl }, policy: { alg: "ES256" } });
    const metadata = { issuer: issuerUrl, jwksUri: undefined, alg: ring.policy.alg };
    for (const { path, text } of staticFiles(ring.published()!.text, metadata)) {
      const answer = await send(`/${path}`);
      assert.equal(answer.status, 200, path);
      assert.equal(await answer.text(), text, path);
    }
  }
});

Deno.test("staticFiles() refuses a URL whose path is none of a file, or leads elsewhere", async () => {
  for (const path of ["/", "/keys/", "/a//b", "/..%2f..%2fetc", "/a%5Cb", "/%ff", "/a%00b"]) {
    const error = await failureOf(() => pathsOf("https://a.example", `https://cdn.example${path}`));
    assert.ok(isDomainError(error, "configuration"), `${path}: ${error}`);
  }
  for (
    const path of [
      "/.well-known/openid-configuration",
      "/.well-known/oauth-authorization-server",
      "/.well-known",
      "/.well-known/jwks.json/a",
      "/.well-known/openid-configuration/a",
    ]
  ) {
    const error = await failureOf(() => pathsOf("https://a.example", `https://cdn.example${path}`));
    assert.ok(isDomainError(error, "configuration"), `${path}: ${error}`);
  }
});
