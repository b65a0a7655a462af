/** The app with one client, and requests as clients of OAuth send them. */

import { decodeJwt, decodeProtectedHeader } from "jose";
import type { ClientPolicy } from "../../lib/accounts/client_policy.ts";
import { type AppOptions, ISSUER, json, makeApp } from "../support.ts";
import { type ClientKey, makeClientKey, type Members, sign } from "../tokens/signed.ts";

export const TOKEN_ENDPOINT = `${ISSUER}/token`;
const JWT_BEARER = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";

type Form = Record<string, string>;

/** What an answer says. */
export interface Said {
  status: number;
  headers: Headers;
  // deno-lint-ignore no-explicit-any -- tests look into whatever came
  body: any;
}

export async function makeOAuthApp(options: AppOptions = {}) {
  const made = await makeApp({ policy: { alg: "ES256" }, ...options });
  const { send, storage, time } = made;
  const registered = await send("/register", json({ username: "svc", email: "svc@example.com" }));
  const { password } = await registered.json();
  const { id } = (await storage.findUser("svc"))!;

  const post = async (path: string, body: Form | string, headers: Form = {}): Promise<Said> => {
    time.advance(1); // no test reaches the rate limit by accident
    const type = "application/x-www-form-urlencoded";
    const answer = await send(path, {
      method: "POST",
      headers: { "content-type": type, ...headers },
      body: typeof body === "string" ? body : new URLSearchParams(body).toString(),
    });
    return { status: answer.status, headers: answer.headers, body: await answer.json() };
  };
  const secret = { client_id: "svc", client_secret: password };
  const grant = { grant_type: "client_credentials" };
  return {
    ...made,
    id,
    password,
    secret,
    post,
    basic: { authorization: `Basic ${btoa(`svc:${password}`)}` },
    /** Asks for a token by client_secret_post. */
    token: (form: Form = {}, headers: Form = {}) =>
      post("/token", { ...grant, ...secret, ...form }, headers),
    grant,
    setPolicy: (policy: Partial<ClientPolicy>) =>
      storage.replaceClientPolicy(id, undefined, JSON.stringify(policy)),
    /** Gives the client a key. */
    addKey: async (kid: string): Promise<ClientKey> => {
      const key = await makeClientKey(kid);
      const value = JSON.stringify({ ...key.jwk, alg: "ES256", use: "sig" });
      await storage.addCredential(id, { kid, value, at: time.now });
      return key;
    },
    /** A client assertion that is valid but for what `claims` and `header` change. */
    assertion: async (
      key: ClientKey,
      claims: Members = {},
      header: Members = {},
    ): Promise<Form> => ({
      client_assertion_type: JWT_BEARER,
      client_assertion: await sign({ alg: "ES256", kid: key.jwk.kid, ...header }, {
        iss: "svc",
        sub: "svc",
        aud: ISSUER,
        jti: crypto.randomUUID(),
        iat: time.seconds,
        exp: time.seconds + 60,
        ...claims,
      }, key),
    }),
    /** A DPoP proof for the next request, valid but for what is changed. */
    proof: async (key: ClientKey, claims: Members = {}, header: Members = {}): Promise<Form> => {
      const { kty, crv, x, y } = key.jwk;
      const jwk = { kty, crv, x, y };
      return {
        dpop: await sign({ typ: "dpop+jwt", alg: "ES256", jwk, ...header }, {
          htm: "POST",
          htu: TOKEN_ENDPOINT,
          iat: time.seconds,
          jti: crypto.randomUUID(),
          ...claims,
        }, key),
      };
    },
  };
}

/** A token's header and claims. */
export function read(token: string) {
  return { header: decodeProtectedHeader(token), claims: decodeJwt(token) };
}
