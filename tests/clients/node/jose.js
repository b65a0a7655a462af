/** jose: a key set at a URL, which it fetches and keeps. */

import { createRemoteJWKSet, jwtVerify } from "jose";
import { ALG, AUDIENCE, converse, ISSUER } from "./conversation.js";

const keys = createRemoteJWKSet(new URL(`${ISSUER}/.well-known/jwks.json`));

await converse({
  async verify(token) {
    const expected = { issuer: ISSUER, audience: AUDIENCE, algorithms: [ALG], typ: "at+jwt" };
    return (await jwtVerify(token, keys, expected)).payload;
  },
});
