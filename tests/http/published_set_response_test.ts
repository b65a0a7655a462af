import assert from "node:assert/strict";
import { publishedSetResponse } from "../../lib/http/response.ts";
import type { PublishedSet } from "../../lib/keys/published_set.ts";

const SET: PublishedSet = {
  body: new TextEncoder().encode('{"keys":["ä"]}'),
  etag: '"tag"',
  from: 0,
  until: 1000,
};

Deno.test("publishedSetResponse() has the set, its length in bytes and its validators", async () => {
  const { status, headers, body } = publishedSetResponse(SET, 0, null);
  assert.equal(status, 200);
  assert.equal(headers.get("content-type"), "application/jwk-set+json");
  assert.equal(headers.get("content-length"), String(SET.body.length));
  assert.equal(headers.get("etag"), '"tag"');
  assert.equal(headers.get("cache-control"), "public, max-age=300, must-revalidate");
  assert.deepEqual(new Uint8Array(await new Response(body).arrayBuffer()), SET.body);
});

Deno.test("publishedSetResponse() lets caches keep the set only until a key leaves it", () => {
  const caching = (now: number) =>
    publishedSetResponse(SET, now, null).headers.get("cache-control");
  assert.equal(caching(700), "public, max-age=300, must-revalidate");
  assert.equal(caching(900), "public, max-age=100, must-revalidate");
  assert.equal(caching(1000), "public, max-age=1, must-revalidate");
});

Deno.test("publishedSetResponse() is 304 when the client holds the set", () => {
  const held = ['"tag"', 'W/"tag"', '"old", "tag"', '"a","tag" , "b"', 'W/"a", W/"tag"', "*"];
  for (const ifNoneMatch of held) {
    const response = publishedSetResponse(SET, 0, ifNoneMatch);
    assert.equal(response.status, 304, ifNoneMatch);
    assert.equal(response.body, null);
    assert.equal(response.headers.get("etag"), '"tag"');
    assert.equal(
      response.headers.get("cache-control"),
      "public, max-age=300, must-revalidate",
    );
  }
});

Deno.test("publishedSetResponse() is 200 when the client holds another set", () => {
  for (const ifNoneMatch of ["", "tag", '"ta"', '"tagg"', '"TAG"', '"old"', 'w/"tag"', '"*"']) {
    assert.equal(publishedSetResponse(SET, 0, ifNoneMatch).status, 200, ifNoneMatch);
  }
});
