import assert from "node:assert/strict";
import { defaultIssuer } from "../../lib/server/address.ts";
import { tellStart } from "../../lib/server/start_line.ts";
import { recordingLog } from "../support.ts";
import { load } from "./loaded.ts";

/** What the log says at the start of a server with these variables, on port 8080. */
function toldAtStart(env: Record<string, string> = {}) {
  const { log, lines } = recordingLog();
  const config = load(env);
  tellStart(config, config.issuer ?? defaultIssuer(config, 8080), log);
  const [line, ...more] = lines.map((text) => JSON.parse(text));
  assert.deepEqual(more, []);
  const { time: _, ...rest } = line;
  return rest;
}

Deno.test("At the start the log says the issuer, which may be another URL than is listened on", () => {
  assert.deepEqual(toldAtStart(), {
    level: "info",
    message: "the server issues tokens",
    issuer: "http://localhost:8080",
    audience: "http://localhost:8080",
    jwks_uri: "http://localhost:8080/.well-known/jwks.json",
  });
  const { issuer, audience, jwks_uri } = toldAtStart({
    ISSUER: "https://tokens.example/a",
    AUDIENCE: "https://api.example",
    JWKS_URI: "https://cdn.example/keys",
  });
  assert.equal(issuer, "https://tokens.example/a");
  assert.equal(audience, "https://api.example");
  assert.equal(jwks_uri, "https://cdn.example/keys");
});

Deno.test("At the start of a server whose issuer is each request's the log says no URL for it", () => {
  const { issuer, audience, jwks_uri } = toldAtStart({ ISSUER: "from-request", TEST_TOKENS: "on" });
  assert.deepEqual([issuer, audience, jwks_uri], ["from-request", undefined, undefined]);
});
