import assert from "node:assert/strict";
import { createRemoteJWKSet, decodeJwt, jwtVerify } from "jose";
import { parseResponse } from "./client.ts";
import { Server, UNLIMITED } from "./harness.ts";

Deno.test("a server for tests warns, goes by the name it is asked by, and gives wrong tokens", async () => {
  const env = { ...UNLIMITED, TEST_TOKENS: "on", ISSUER: "from-request", SIGNING_ALG: "ES256" };
  await using server = await Server.start({ env });
  assert.match(server.stderr, /"level":"warn","message":"TEST_TOKENS is on/);
  const metadata = await server.exchange(
    "GET /.well-known/openid-configuration HTTP/1.1\r\nHost: Inside.example:8080\r\n" +
      "X-Forwarded-Host: evil.example\r\nConnection: close\r\n\r\n",
  );
  assert.equal(JSON.parse(parseResponse(metadata).body).issuer, "http://inside.example:8080");

  const user = await server.register();
  const keys = createRemoteJWKSet(new URL(`${server.url}/.well-known/jwks.json`));
  const options = { issuer: server.url, audience: server.url };
  await jwtVerify(await server.token(user), keys, options);
  const { json } = await server.post("/auth?defect=expired&claims=%7B%22a%22%3A1%7D", user);
  assert.equal(decodeJwt(json.token).a, 1);
  await assert.rejects(jwtVerify(json.token, keys, options), { code: "ERR_JWT_EXPIRED" });
});
