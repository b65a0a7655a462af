/** What is to be said of a server that gives test tokens: it is not one to be trusted. */

import type { Log } from "../base/log.ts";
import type { Config } from "./config.ts";

/** What `TEST_TOKENS=on` means, for whoever reads a log or a report. */
export const TEST_MODE =
  "TEST_TOKENS is on: every client gets tokens that say whatever it likes, in anybody's name, signed by this server's keys";

export const TEST_MODE_ADVICE =
  "never do this in production: where anything trusts this server, set TEST_TOKENS=off and revoke " +
  "the keys, under which such tokens stay valid until they end";

/** Warns at the start of such a server. */
export function warnOfTestMode(
  { testTokens, issuerFromRequest }: Pick<Config, "testTokens" | "issuerFromRequest">,
  log: Log,
): void {
  if (testTokens) log.warn(TEST_MODE, { hint: TEST_MODE_ADVICE });
  if (issuerFromRequest) {
    log.warn("ISSUER is from-request: whoever sends a request says who the issuer is");
  }
}
