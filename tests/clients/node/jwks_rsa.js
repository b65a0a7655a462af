/** jwks-rsa with jsonwebtoken: one fetches a key by its `kid` and keeps it, the other verifies. */

import jwt from "jsonwebtoken";
import { JwksClient } from "jwks-rsa";
import { ALG, AUDIENCE, converse, ISSUER } from "./conversation.js";

const client = new JwksClient({ jwksUri: `${ISSUER}/.well-known/jwks.json` });

async function getKey({ kid }) {
  return (await client.getSigningKey(kid)).getPublicKey();
}

await converse({
  verify(token) {
    const expected = { issuer: ISSUER, audience: AUDIENCE, algorithms: [ALG] };
    return new Promise((resolve, reject) =>
      jwt.verify(
        token,
        (header, callback) => getKey(header).then((key) => callback(null, key), callback),
        expected,
        (error, claims) => error ? reject(error) : resolve(claims),
      )
    );
  },
});
