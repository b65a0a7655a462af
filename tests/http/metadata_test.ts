import assert from "node:assert/strict";
import { metadataPaths, prepareMetadata } from "../../lib/http/metadata.ts";

function documentOf(issuer: string, jwksUri?: string) {
  const { body } = prepareMetadata({ issuer, jwksUri, alg: "ES256" });
  return JSON.parse(new TextDecoder().decode(body));
}

Deno.test("prepareMetadata() tells the issuer as it is configured, and what lies below it", () => {
  for (const issuer of ["https://a.example", "https://a.example/", "https://a.example/b/c"]) {
    const base = issuer.replace(/\/$/, "");
    const document = documentOf(issuer);
    assert.equal(document.issuer, issuer);
    assert.equal(document.token_endpoint, `${base}/token`);
    assert.equal(document.introspection_endpoint, `${base}/introspect`);
    assert.equal(document.jwks_uri, `${base}/.well-known/jwks.json`);
  }
});

Deno.test("prepareMetadata() tells another place of the JWK set when there is one", () => {
  const elsewhere = "https://cdn.example/keys.json";
  assert.equal(documentOf("https://a.example", elsewhere).jwks_uri, elsewhere);
});

Deno.test("prepareMetadata() gives another tag for another document alone", () => {
  const etag = (issuer: string) =>
    prepareMetadata({ issuer, jwksUri: undefined, alg: "ES256" }).etag;
  assert.match(etag("https://a.example"), /^"[\w-]{43}"$/);
  assert.equal(etag("https://a.example"), etag("https://a.example"));
  assert.notEqual(etag("https://a.example"), etag("https://b.example"));
});

Deno.test("metadataPaths() puts an issuer's path behind or before the well-known one, as each standard says", () => {
  assert.deepEqual(metadataPaths("https://a.example/"), [
    "/.well-known/oauth-authorization-server",
    "/.well-known/openid-configuration",
  ]);
  assert.deepEqual(metadataPaths("https://a.example/b/c"), [
    "/.well-known/oauth-authorization-server/b/c", // RFC 8414 §3.1
    "/b/c/.well-known/openid-configuration", // OpenID Connect Discovery 1.0 §4
  ]);
});
