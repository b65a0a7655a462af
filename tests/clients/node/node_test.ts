import packages from "./package-lock.json" with { type: "json" };
import { ALGORITHM_NAMES } from "../../../lib/keys/algorithms.ts";
import { proveLanguage } from "../driver/proof.ts";

/** The versions that npm installs. */
const { packages: installed } = packages;

function version(name: keyof typeof packages.packages[""]["dependencies"]): string {
  return installed[`node_modules/${name}`].version;
}

/** The algorithms of RSA and of the NIST curves. */
const RSA_AND_EC = ALGORITHM_NAMES.filter((name) => /^(RS|PS|ES)/.test(name));

await proveLanguage({
  name: "Node",
  directory: new URL("./", import.meta.url),
  tools: [["node", "--version"], ["npm", "--version"]],
  pins: ["package.json", "package-lock.json"],
  install: [["npm", "ci", "--no-audit", "--no-fund"]],
  reach: ["npm", "ping"],
  libraries: [
    {
      name: "openid-client",
      version: version("openid-client"),
      program: ["node", "openid_client.js"],
      grants: true,
      keeps: "no keys",
      unknownKid: "fetches",
    },
    {
      name: "oauth4webapi",
      version: version("oauth4webapi"),
      program: ["node", "oauth4webapi.js"],
      grants: true,
      keeps: "set",
      unknownKid: "waits",
      keepsFor: 300,
      waitsFor: 60,
    },
    {
      name: "jose",
      version: version("jose"),
      program: ["node", "jose.js"],
      grants: false,
      keeps: "set",
      unknownKid: "waits",
      keepsFor: 600,
      waitsFor: 30,
    },
    {
      name: "jwks-rsa",
      version: version("jwks-rsa"),
      program: ["node", "jwks_rsa.js"],
      grants: false,
      keeps: "key",
      unknownKid: "fetches",
      keepsFor: 600,
      algorithms: RSA_AND_EC,
    },
    {
      name: "fastify, @fastify/jwt, get-jwks",
      version: version("get-jwks"),
      program: ["node", "fastify_get_jwks.js"],
      grants: false,
      keeps: "key",
      unknownKid: "fetches",
      keepsFor: 60,
      algorithms: RSA_AND_EC,
    },
    {
      name: "fastify, fastify-jwt-jwks",
      version: version("fastify-jwt-jwks"),
      program: ["node", "fastify_jwt_jwks.js"],
      grants: false,
      keeps: "key",
      unknownKid: "fetches",
      keepsFor: 7 * 86_400,
      algorithms: ["RS256", "EdDSA"],
    },
  ],
});
