/** Fastify with @fastify/jwt, whose keys get-jwks fetches. */

// @ts-ignore: npm installs it, outside of the repository
import jwt from "@fastify/jwt";
// @ts-ignore: npm installs it, outside of the repository
import fastify from "fastify";
// @ts-ignore: npm installs it, outside of the repository
import buildGetJwks from "get-jwks";
import { ALG, AUDIENCE, ISSUER } from "./conversation.js";
import { converseThrough } from "./resource_server.js";

const app = fastify();
const keys = buildGetJwks({ issuersWhitelist: [ISSUER], providerDiscovery: true });

await app.register(jwt, {
  decode: { complete: true },
  secret: (_request, { header: { kid, alg }, payload: { iss } }) =>
    keys.getPublicKey({ kid, domain: iss, alg }),
  verify: { allowedIss: ISSUER, allowedAud: AUDIENCE, algorithms: [ALG] },
});

await converseThrough(app, (request) => request.jwtVerify());
