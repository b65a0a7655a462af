/** The limits that servers share on a Valkey, put together. */

import { createHash } from "node:crypto";
import type { Log } from "../base/log.ts";
import type { Limiter } from "../limits/limiter.ts";
import { ValkeyConnection } from "../limits/valkey/connection.ts";
import { describeValkey } from "../limits/valkey/location.ts";
import { SharedWindow } from "../limits/valkey/shared_window.ts";
import { Sharing } from "../limits/valkey/sharing.ts";
import { ValkeyWindow } from "../limits/valkey/valkey_window.ts";
import { readCertificates } from "./pem_file.ts";
import type { SharedLimitSettings } from "./shared_limit_settings.ts";

/** What is limited, and how. */
export interface LimitRule {
  /** What is counted under one name does not count under another. */
  name: string;
  limit: number;
  /** In milliseconds. */
  window: number;
  /** Whether clients are known by what they say, which may be long and odd. */
  isSaid: boolean;
}

/** A limit of nobody's, by which the server is asked whether it decides. */
const PROBE = { name: "probe", limit: 1, window: 1, isSaid: false };

/** How often the server is asked, in milliseconds. */
const INTERVAL = 1000;

/**
 * Connects nothing yet: that is `sharing.start`.
 *
 * @param makeOwn makes what decides for this server alone.
 * @throws {DomainError} `configuration` when `REDIS_CA_FILE` cannot be used.
 */
export async function shareLimits(
  { location, caFile, isStrict }: SharedLimitSettings,
  makeOwn: (rule: LimitRule) => Limiter,
  log: Log,
): Promise<{ make: (rule: LimitRule) => Limiter; sharing: Sharing }> {
  const ca = caFile && await readCertificates("REDIS_CA_FILE", caFile);
  const connection = new ValkeyConnection({ location, ca });
  const onValkey = ({ isSaid, ...rule }: LimitRule) =>
    new ValkeyWindow({ ...rule, connection, keyOf: isSaid ? digestOf : itself });
  const probe = onValkey(PROBE);
  const sharing = new Sharing({
    connection,
    probe: () => probe.admit("all"),
    interval: INTERVAL,
    server: describeValkey(location),
    otherwise: isStrict ? "requests that it counts are refused" : "this server counts alone",
    log,
  });
  const make = (rule: LimitRule) => {
    const own = isStrict ? undefined : makeOwn(rule);
    return new SharedWindow({ shared: onValkey(rule), sharing, own });
  };
  return { make, sharing };
}

function itself(address: string): string {
  return address;
}

function digestOf(said: string): string {
  return createHash("sha256").update(said).digest("base64url");
}
