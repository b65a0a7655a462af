/** What the log says once, when the server begins to answer. */

import type { Log } from "../base/log.ts";
import { describeServer } from "../http/metadata.ts";
import type { Config } from "./config.ts";
import { FROM_REQUEST } from "./settings.ts";

/**
 * Tells what verifiers have to be configured with, as it stands in the tokens: the address that is
 * listened on is often another URL, and who takes that for the issuer refuses every token.
 */
export function tellStart(
  { audience, issuerFromRequest, jwksUri, policy: { alg }, database, stated }: Config,
  issuer: string,
  log: Log,
): void {
  const { jwks_uri } = describeServer({ issuer, jwksUri, alg });
  const fields = issuerFromRequest
    ? { issuer: FROM_REQUEST, ...(audience === undefined ? {} : { audience }) }
    : { issuer, audience: audience ?? issuer, jwks_uri };
  log.info("the server issues tokens", fields);
  if (database.engine === "postgres" && !stated.has("ISSUER")) {
    log.warn("ISSUER is not set: each server on this database is another issuer, by its own port");
  }
}
