import assert from "node:assert/strict";
import { createPublishedResponse } from "../../lib/http/conditional_response.ts";
import { RULES, SET } from "./published_set.ts";

const respond = createPublishedResponse(RULES);

function answer(now: number, ifNoneMatch: string | null, set = SET): Response {
  return respond(set, now, ifNoneMatch);
}

Deno.test("createPublishedResponse() has the set, its length in bytes and its validators", async () => {
  const { status, headers, body } = answer(0, null);
  assert.equal(status, 200);
  assert.equal(headers.get("content-type"), "application/jwk-set+json");
  assert.equal(headers.get("content-length"), "15");
  assert.equal(headers.get("etag"), '"tag"');
  assert.equal(
    headers.get("cache-control"),
    "public, max-age=300, stale-while-revalidate=60, stale-if-error=600",
  );
  assert.equal(await new Response(body).text(), SET.text);
});

Deno.test("createPublishedResponse() lets caches keep the set only until a key leaves it", () => {
  const caching = (now: number) => answer(now, null).headers.get("cache-control");
  assert.equal(caching(700), "public, max-age=300, stale-while-revalidate=60, stale-if-error=300");
  assert.equal(caching(900), "public, max-age=100, stale-while-revalidate=60, stale-if-error=100");
  assert.equal(caching(1000), "public, max-age=1, stale-while-revalidate=60, stale-if-error=0");
});

Deno.test("createPublishedResponse() is 304 when the client holds the set", () => {
  const held = ['"tag"', 'W/"tag"', '"old", "tag"', '"a","tag" , "b"', 'W/"a", W/"tag"', "*"];
  for (const ifNoneMatch of held) {
    const response = answer(0, ifNoneMatch);
    assert.equal(response.status, 304, ifNoneMatch);
    assert.equal(response.body, null);
    assert.equal(response.headers.get("etag"), '"tag"');
    assert.equal(
      response.headers.get("cache-control"),
      "public, max-age=300, stale-while-revalidate=60, stale-if-error=600",
    );
  }
});

Deno.test("createPublishedResponse() is 200 when the client holds another set", () => {
  for (const ifNoneMatch of ["", "tag", '"ta"', '"tagg"', '"TAG"', '"old"', 'w/"tag"', '"*"']) {
    assert.equal(answer(0, ifNoneMatch).status, 200, ifNoneMatch);
  }
});

Deno.test("createPublishedResponse() lets no cache use a stale set while tokens of a revoked key are about", () => {
  const stale = (now: number) => {
    const { headers } = answer(now, null, { ...SET, revokedAt: 500 });
    return /stale-if-error=(\d+)$/.exec(headers.get("cache-control")!)![1];
  };
  assert.deepEqual([500, 599, 600].map(stale), ["0", "0", "400"]);
});

Deno.test("createPublishedResponse() lets pages of every origin read the set and its tag", () => {
  for (const ifNoneMatch of [null, SET.etag]) {
    const { headers } = answer(0, ifNoneMatch);
    assert.equal(headers.get("access-control-allow-origin"), "*");
    assert.equal(headers.get("access-control-expose-headers"), "ETag");
  }
});
