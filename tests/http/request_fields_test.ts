import assert from "node:assert/strict";
import { Hono } from "hono";
import type { RequestError } from "../../lib/base/errors.ts";
import { readExpiredParameter, Registration } from "../../lib/http/request.ts";
import { errorResponse } from "../../lib/http/response.ts";

Deno.test("Registration takes names and addresses in their allowed form only", () => {
  const takes = (username: string, email = "a@example.com") =>
    Registration.safeParse({ username, email }).success;
  for (const name of ["a", "0", "a".repeat(64), "a.b_c@d+e-f", "user@example.com"]) {
    assert.equal(takes(name), true, name);
  }
  const refused = ["", "a".repeat(65), "a:b", ".a", "-a", "@a", " a", "a ", "a b", "a\n", "a\0b"];
  for (const name of [...refused, "ä", "аlice", "a/b", "a'--", "a%", "a\u202eb", "ａ"]) {
    assert.equal(takes(name), false, JSON.stringify(name));
  }
  for (const email of ["", "a", "a@", "@b.example", "a b@c.example", "a@b.example\n", "a@b@c.de"]) {
    assert.equal(takes("alice", email), false, JSON.stringify(email));
  }
  assert.equal(takes("alice", `${"a".repeat(255)}@example.com`), false);
});

/** What `readExpiredParameter` makes of a query: its answer, or the code of its refusal. */
async function expiredIn(query: string): Promise<unknown> {
  const app = new Hono();
  app.get("/", (context) => context.json({ expired: readExpiredParameter(context) }));
  app.onError((error) => errorResponse(error as RequestError));
  const body = await (await app.request(`/${query}`)).json();
  return body.expired ?? body.error;
}

Deno.test("readExpiredParameter() is true for expired=true only", async () => {
  assert.equal(await expiredIn("?expired=true"), true);
  for (const query of ["", "?expired=false", "?other=true"]) {
    assert.equal(await expiredIn(query), false, query);
  }
  for (const value of ["", "TRUE", "1", "yes", "true%20"]) {
    assert.equal(await expiredIn(`?expired=${value}`), "invalid_request", value);
  }
  assert.equal(await expiredIn("?expired"), "invalid_request");
});

Deno.test("readExpiredParameter() refuses a repeated parameter and credentials", async () => {
  const queries = ["expired=true&expired=true", "a=1&a=2", "username=a", "password=b"];
  for (const query of [...queries, "expired=true&p%61ssword=b", "e%78pired=true&expired=false"]) {
    assert.equal(await expiredIn(`?${query}`), "invalid_request", query);
  }
});
