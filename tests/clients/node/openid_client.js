/** openid-client: discovery, the grant, and introspection, which asks the server about a token. */

import * as openid from "openid-client";
import { AUDIENCE, CLIENT_ID, CLIENT_SECRET, converse, ISSUER } from "./conversation.js";

const config = await openid.discovery(new URL(ISSUER), CLIENT_ID, CLIENT_SECRET, undefined, {
  execute: [openid.allowInsecureRequests], // the server speaks plain HTTP in tests
});

await converse({
  async getToken() {
    return (await openid.clientCredentialsGrant(config, { resource: AUDIENCE })).access_token;
  },
  async verify(token) {
    const claims = await openid.tokenIntrospection(config, token);
    if (!claims.active) throw new Error("The token is not active");
    if (claims.aud !== AUDIENCE) throw new Error(`The token is meant for ${claims.aud}`);
    return claims;
  },
});
