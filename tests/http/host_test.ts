import assert from "node:assert/strict";
import { HostCheck } from "../../lib/http/host.ts";

const FALLBACKS = ["localhost", "localhost:8080"];

/** What is wrong with a request whose URL Deno makes, for `headers`, as `url` is. */
function refusalOf(url: string, headers: HeadersInit): string | undefined {
  const request = { url, headers: new Headers(headers) } as Request;
  return new HostCheck().refusalOf(request, FALLBACKS);
}

const HOST = "The Host header is not valid";
const TARGET = "The request target is not valid";

Deno.test("HostCheck says of a wrong Host header that it is wrong, whatever URL it makes", () => {
  for (const host of ["a b", "x/auth?", "a@b", "a#b", "a?b", 'a"b', "a,b", ""]) {
    assert.equal(refusalOf(`http://${host}/auth`, { host }), HOST, host);
  }
  assert.equal(refusalOf("http://localhost:8080/auth", {}), HOST);
  assert.equal(refusalOf("http://a:99999/auth", {}), HOST); // the authority of HTTP/2
});

Deno.test("HostCheck says of a wrong authority in a target that the target is wrong", () => {
  for (const url of ["http://x?/auth", "http://a b/", "http://a:99999/"]) {
    assert.equal(refusalOf(url, { host: "x" }), TARGET, url);
  }
});

Deno.test("HostCheck finds nothing wrong with a host, a port, and an authority without a header", () => {
  assert.equal(refusalOf("http://a.example:1/", { host: "a.example:1" }), undefined);
  assert.equal(refusalOf("http://a.example/", { host: "b.example" }), undefined);
  assert.equal(refusalOf("https://a.example/", {}), undefined);
});
