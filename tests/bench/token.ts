/** What a token costs whose client authenticates with a key (RFC 7523). */

import { exportJWK, generateKeyPair, SignJWT } from "jose";
import { Server, UNLIMITED } from "../blackbox/harness.ts";
import { settled } from "../blackbox/keys.ts";
import { Helper } from "./helper.ts";
import type { Row } from "./row.ts";
import { duration, inTurns, median } from "./statistics.ts";

const TOKENS = 200;
const JWT_BEARER = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";

/**
 * Milliseconds for a token of RS256 by an assertion of ES256, log row and HTTP included, against one
 * verification and one signature of the same algorithms.
 */
export async function measureToken(): Promise<Row[]> {
  await using server = await Server.start({ isFullCost: true, env: UNLIMITED });
  await settled(server);
  const { username } = await server.register();
  const { privateKey, publicKey } = await generateKeyPair("ES256", { extractable: true });
  const file = `${server.directory.path}/client.jwk`;
  await Deno.writeTextFile(file, JSON.stringify({ ...await exportJWK(publicKey), kid: "k" }));
  const added = await server.directory.run(["users", "add-key", username, file]);
  if (added.code !== 0) throw new Error(added.stderr);
  await using bare = new Helper("token_bare.ts");

  const assertions = await Promise.all(
    Array.from(
      { length: TOKENS + 2 },
      () =>
        new SignJWT().setProtectedHeader({ alg: "ES256", kid: "k" })
          .setIssuer(username).setSubject(username).setAudience(`http://localhost:${server.port}`)
          .setIssuedAt().setExpirationTime("4m").setJti(crypto.randomUUID()).sign(privateKey),
    ),
  );
  const ask = async () => {
    const body = new URLSearchParams({
      grant_type: "client_credentials",
      client_assertion_type: JWT_BEARER,
      client_assertion: assertions.pop()!,
    });
    const answer = await fetch(`${server.url}/token`, { method: "POST", body });
    const text = await answer.text();
    if (answer.status !== 200) throw new Error(text);
  };
  await Promise.all([ask(), bare.ask()]); // both are warm from here on
  const [ours, theirs] = await inTurns(
    TOKENS,
    () => duration(ask),
    async () => Number(await bare.ask()),
  );
  return [{
    what: "Token by an assertion (ES256, then RS256), against bare verify and sign",
    unit: "ms",
    measured: median(ours),
    baseline: median(theirs),
    goal: ["at most", 3],
  }];
}
