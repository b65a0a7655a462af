/** Fastify with fastify-jwt-jwks, which fetches the keys itself. */

// @ts-ignore: npm installs it, outside of the repository
import fastify from "fastify";
// @ts-ignore: npm installs it, outside of the repository
import jwtJwks from "fastify-jwt-jwks";
import { AUDIENCE, ISSUER } from "./conversation.js";
import { converseThrough } from "./resource_server.js";

const app = fastify();

await app.register(jwtJwks, {
  jwksUrl: `${ISSUER}/.well-known/jwks.json`,
  issuer: ISSUER,
  audience: AUDIENCE,
});

await converseThrough(app, app.authenticate);
