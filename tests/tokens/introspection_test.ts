import assert from "node:assert/strict";
import { createIntrospection } from "../../lib/tokens/introspection.ts";
import { TokenIssuer } from "../../lib/tokens/token_issuer.ts";
import type { TokenGrant } from "../../lib/tokens/token_payload.ts";
import { activeKey } from "../../lib/rotation/policy.ts";
import { revoke } from "../../lib/rotation/operations.ts";
import { ISSUER, makeRing, POLICY } from "../support.ts";

const ALICE = { username: "alice", email: "alice@example.com", passwordHash: "x", at: 0 };

async function makeIntrospection() {
  const made = await makeRing({ policy: { alg: "ES256" } });
  const { ring, storage, time } = made;
  const { clock } = time;
  const alice = (await storage.createUser(ALICE))!;
  const introspect = createIntrospection({ ring, storage, issuer: ISSUER, clock });
  const issueAs = async (issuer: string, grant: TokenGrant = {}, username = "alice") => {
    const tokens = new TokenIssuer({ ...POLICY, ring, clock, issuer, audience: "orders" });
    return (await tokens.issue(username, grant)).token;
  };
  return {
    ...made,
    alice,
    introspect,
    issueAs,
    issue: (grant?: TokenGrant) => issueAs(ISSUER, grant),
  };
}

Deno.test("introspect() tells what an active token says (RFC 7662 §2.2)", async () => {
  const { introspect, issue, time } = await makeIntrospection();
  const answer = await introspect(await issue({ typ: "at+jwt", scope: "read", claims: { a: 1 } }));
  assert.ok(answer.active);
  const { jti, ...rest } = answer;
  assert.match(String(jti), /^[0-9a-f-]{36}$/);
  assert.deepEqual(rest, {
    active: true,
    token_type: "Bearer",
    username: "alice",
    client_id: "alice",
    sub: "alice",
    iss: ISSUER,
    aud: "orders",
    scope: "read",
    a: 1,
    iat: time.seconds,
    exp: time.seconds + POLICY.tokenTtl,
  });
});

Deno.test("introspect() tells that a token is bound to a key (RFC 9449 §6.2)", async () => {
  const { introspect, issue } = await makeIntrospection();
  const answer = await introspect(await issue({ jkt: "thumbprint" }));
  assert.ok(answer.active);
  assert.deepEqual([answer.token_type, answer.cnf], ["DPoP", { jkt: "thumbprint" }]);
});

Deno.test("introspect() says nothing of what is no token of this issuer's but that it is not active", async () => {
  const { introspect, issue, issueAs } = await makeIntrospection();
  const other = await makeIntrospection();
  const token = await issue();
  const foreign = [
    "",
    "no token",
    token.slice(0, -2),
    `${token}x`,
    await other.issue(),
    await issueAs("https://other.example"),
    await issueAs(ISSUER, {}, "nobody"),
  ];
  for (const text of foreign) assert.deepEqual(await introspect(text), { active: false }, text);
});

Deno.test("introspect() tells when a token is over, to the second", async () => {
  const { introspect, issue, time } = await makeIntrospection();
  const token = await issue();
  time.advance(POLICY.tokenTtl - 1);
  assert.equal((await introspect(token)).active, true);
  time.advance(1);
  assert.deepEqual(await introspect(token), { active: false });
});

Deno.test("introspect() knows no token of a key that was revoked, also by another process", async () => {
  const { introspect, issue, ring } = await makeIntrospection();
  const token = await issue();
  await ring.change((keys, now) => ({ change: revoke(activeKey(keys, now)!, now) }));
  assert.deepEqual(await introspect(token), { active: false });
});

Deno.test("introspect() knows no token that is expired on request", async () => {
  const { introspect, ring, time } = await makeIntrospection();
  const { clock } = time;
  const issuer = new TokenIssuer({ ...POLICY, ring, clock, issuer: ISSUER, audience: "orders" });
  const { token } = await issuer.issueExpired("alice");
  assert.deepEqual(await introspect(token), { active: false });
});

Deno.test("introspect() knows no token of a client that is disabled", async () => {
  const { introspect, issue, storage, alice } = await makeIntrospection();
  const token = await issue();
  await storage.replacePasswordHash(alice.id, "x", "!x");
  assert.deepEqual(await introspect(token), { active: false });
});
