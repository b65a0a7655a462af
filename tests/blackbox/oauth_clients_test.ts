/** The server as clients of OAuth know it: by its issuer's URL and their own credentials alone. */

import assert from "node:assert/strict";
import { createRemoteJWKSet, exportJWK, generateKeyPair, jwtVerify } from "jose";
import * as oauth from "oauth4webapi";
import * as openid from "openid-client";
import { Server, UNLIMITED } from "./harness.ts";

const INSECURE = { [oauth.allowInsecureRequests]: true };

const server = await Server.start({ env: UNLIMITED });
Deno.test.afterAll(() => server[Symbol.asyncDispose]());
const issuer = `http://localhost:${server.port}`;

/** A client with a password, and with the key of a pair. */
async function makeClient() {
  const { username, password } = await server.register();
  const { privateKey, publicKey } = await generateKeyPair("ES256", { extractable: true });
  const file = `${server.directory.path}/${username}.jwk`;
  const jwk = { ...await exportJWK(publicKey), kid: "k1", alg: "ES256", use: "sig" };
  await Deno.writeTextFile(file, JSON.stringify(jwk));
  const { code, stderr } = await server.directory.run(["users", "add-key", username, file]);
  assert.equal(code, 0, stderr);
  const set = ["users", "set", username, "--scope", "read", "--scope", "write"];
  assert.equal((await server.directory.run(set)).code, 0);
  return { username, password, privateKey };
}

/** Verifies a token with the keys that the metadata names. */
async function verify(token: string, jwksUri: string) {
  const keys = createRemoteJWKSet(new URL(jwksUri));
  return await jwtVerify(token, keys, { issuer, audience: issuer, typ: "at+jwt" });
}

async function discover(): Promise<oauth.AuthorizationServer> {
  const url = new URL(issuer);
  const answer = await oauth.discoveryRequest(url, { algorithm: "oauth2", ...INSECURE });
  return await oauth.processDiscoveryResponse(url, answer);
}

Deno.test("oauth4webapi discovers the server and gets tokens by each method, bound to a key or not", async () => {
  const as = await discover();
  const { username, password, privateKey } = await makeClient();
  const client: oauth.Client = { client_id: username };
  const methods = {
    client_secret_basic: oauth.ClientSecretBasic(password),
    client_secret_post: oauth.ClientSecretPost(password),
    private_key_jwt: oauth.PrivateKeyJwt({ key: privateKey, kid: "k1" }),
  };
  for (const [name, authentication] of Object.entries(methods)) {
    for (const isBound of [false, true]) {
      const DPoP = oauth.DPoP(client, await oauth.generateKeyPair("ES256"));
      const parameters = new URLSearchParams({ scope: "read" });
      const options = { ...INSECURE, ...(isBound ? { DPoP } : {}) };
      const answer = await oauth.clientCredentialsGrantRequest(
        as,
        client,
        authentication,
        parameters,
        options,
      );
      const token = await oauth.processClientCredentialsResponse(as, client, answer);
      assert.equal(token.token_type, isBound ? "dpop" : "bearer", name);
      const { payload } = await verify(token.access_token, as.jwks_uri!);
      assert.deepEqual([payload.sub, payload.scope], [username, "read"]);
      assert.equal(payload.cnf !== undefined, isBound);
      const introspection = await oauth.introspectionRequest(
        as,
        client,
        authentication,
        token.access_token,
        INSECURE,
      );
      const said = await oauth.processIntrospectionResponse(as, client, introspection);
      assert.deepEqual([said.active, said.sub], [true, username]);
    }
  }
});

Deno.test("oauth4webapi is told what is wrong in the words of RFC 6749 §5.2", async () => {
  const as = await discover();
  const { username, password } = await makeClient();
  const ask = async (secret: string, scope: string) => {
    const client: oauth.Client = { client_id: username };
    const answer = await oauth.clientCredentialsGrantRequest(
      as,
      client,
      oauth.ClientSecretPost(secret),
      new URLSearchParams({ scope }),
      INSECURE,
    );
    return await oauth.processClientCredentialsResponse(as, client, answer);
  };
  await assert.rejects(ask("wrong", "read"), { error: "invalid_client", status: 401 });
  await assert.rejects(ask(password, "admin"), { error: "invalid_scope", status: 400 });
});

Deno.test("openid-client discovers the server and gets tokens by each method, bound to a key or not", async () => {
  const { username, password, privateKey } = await makeClient();
  const methods = [
    openid.ClientSecretBasic(password),
    openid.ClientSecretPost(password),
    openid.PrivateKeyJwt({ key: privateKey, kid: "k1" }),
  ];
  for (const method of methods) {
    const config = await openid.discovery(new URL(issuer), username, undefined, method, {
      execute: [openid.allowInsecureRequests],
    });
    const plain = await openid.clientCredentialsGrant(config, { scope: "write" });
    const { jwks_uri } = config.serverMetadata();
    assert.equal((await verify(plain.access_token, jwks_uri!)).payload.scope, "write");
    const DPoP = openid.getDPoPHandle(config, await openid.randomDPoPKeyPair("ES256"));
    const bound = await openid.clientCredentialsGrant(config, {}, { DPoP });
    assert.equal(bound.token_type, "dpop");
    const said = await openid.tokenIntrospection(config, bound.access_token);
    assert.equal(said.active, true);
  }
});
