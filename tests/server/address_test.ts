import assert from "node:assert/strict";
import { schemeOf, serverUrl } from "../../lib/server/address.ts";

Deno.test("serverUrl() is a URL under which a client on this machine reaches the server", () => {
  const urls = [
    ["127.0.0.1", "http://127.0.0.1:8080"],
    ["localhost", "http://localhost:8080"],
    ["tokens.example", "http://tokens.example:8080"],
    ["::1", "http://[::1]:8080"],
    ["2001:db8::1", "http://[2001:db8::1]:8080"],
    ["0.0.0.0", "http://localhost:8080"],
    ["::", "http://localhost:8080"],
  ] as const;
  for (const [host, url] of urls) {
    assert.equal(serverUrl(host, 8080), url);
    assert.equal(new URL(serverUrl(host, 8080)).port, "8080");
  }
});

Deno.test("serverUrl() of a server with a certificate is one of HTTPS", () => {
  assert.equal(serverUrl("::1", 8443, schemeOf({ tls: {} })), "https://[::1]:8443");
  assert.equal(serverUrl("::1", 8443, schemeOf({ tls: undefined })), "http://[::1]:8443");
});
