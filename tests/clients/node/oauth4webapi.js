/** oauth4webapi: discovery, the grant, and the validation of a request with a JWT access token. */

import * as oauth from "oauth4webapi";
import { ALG, AUDIENCE, CLIENT_ID, CLIENT_SECRET, converse, ISSUER } from "./conversation.js";

const insecure = { [oauth.allowInsecureRequests]: true }; // the server speaks plain HTTP in tests
const issuer = new URL(ISSUER);
const client = { client_id: CLIENT_ID };

const discovered = await oauth.discoveryRequest(issuer, { algorithm: "oauth2", ...insecure });
const server = await oauth.processDiscoveryResponse(issuer, discovered);

await converse({
  async getToken() {
    const answer = await oauth.clientCredentialsGrantRequest(
      server,
      client,
      oauth.ClientSecretBasic(CLIENT_SECRET),
      new URLSearchParams({ resource: AUDIENCE }),
      insecure,
    );
    return (await oauth.processClientCredentialsResponse(server, client, answer)).access_token;
  },
  async verify(token) {
    const request = new Request(AUDIENCE, { headers: { authorization: `Bearer ${token}` } });
    const options = { signingAlgorithms: [ALG], ...insecure };
    return await oauth.validateJwtAccessToken(server, request, AUDIENCE, options);
  },
});
