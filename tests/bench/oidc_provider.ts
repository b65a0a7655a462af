/**
 * A server of another project, as a program for Node: oidc-provider, which gives JWTs to a client by
 * its secret. The algorithm is its only argument; it says its port on standard output.
 */

export const OTHER_SECRET = "3f513657-5f80-4374-9fa9-9647b9d48e6b";

export const OTHER_PROGRAM = `import { generateKeyPairSync } from "node:crypto";
import { Provider } from "oidc-provider";

const [alg] = process.argv.slice(2);
const { privateKey } = {
  RS256: () => generateKeyPairSync("rsa", { modulusLength: 2048 }),
  ES256: () => generateKeyPairSync("ec", { namedCurve: "P-256" }),
  EdDSA: () => generateKeyPairSync("ed25519"),
}[alg]();
const key = { ...privateKey.export({ format: "jwk" }), kid: "1", use: "sig", alg };

const provider = new Provider("http://127.0.0.1", {
  clients: [{
    client_id: "client",
    client_secret: "${OTHER_SECRET}",
    token_endpoint_auth_method: "client_secret_post",
    grant_types: ["client_credentials"],
    redirect_uris: [],
    response_types: [],
    id_token_signed_response_alg: alg,
  }],
  jwks: { keys: [key] },
  features: {
    devInteractions: { enabled: false },
    clientCredentials: { enabled: true },
    resourceIndicators: {
      enabled: true,
      defaultResource: () => "https://api.example",
      useGrantedResource: () => true,
      getResourceServerInfo: () => ({
        scope: "",
        audience: "https://api.example",
        accessTokenFormat: "jwt",
        jwt: { sign: { alg } },
      }),
    },
  },
});
const server = provider.listen(0, "127.0.0.1", () => process.stdout.write(\`\${server.address().port}\\n\`));
`;
