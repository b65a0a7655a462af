/** What the variables say together about a rate limit that servers share. */

import type { ValkeyLocation } from "../limits/valkey/location.ts";
import type { Values } from "./settings.ts";

export interface SharedLimitSettings {
  location: ValkeyLocation;
  /** The file of the certificates by which the server is known, when not by the usual ones. */
  caFile: string | undefined;
  /** Whether requests are refused while nothing is shared. */
  isStrict: boolean;
}

/** `undefined` when each server counts alone. */
export function sharedLimitOf(values: Values): SharedLimitSettings | undefined {
  const { REDIS_URL: location, REDIS_CA_FILE: caFile, RATE_LIMIT_STRICT: strict } = values;
  if (location === undefined) return undefined;
  return Object.freeze({ location: Object.freeze(location), caFile, isStrict: strict === true });
}

/** What contradicts itself. @param stated the variables that are set, whether or not right. */
export function sharedLimitConflicts(values: Values, stated: ReadonlySet<string>): string[] {
  const { REDIS_URL: location, REDIS_CA_FILE: caFile, RATE_LIMIT_STRICT: strict } = values;
  const isShared = stated.has("REDIS_URL") || stated.has("REDIS_URL_FILE");
  const found: string[] = [];
  if (strict && !isShared) {
    found.push("RATE_LIMIT_STRICT is on; allowed is that only with REDIS_URL or REDIS_URL_FILE");
  }
  if (caFile !== undefined && (!isShared || location?.isTls === false)) {
    found.push("REDIS_CA_FILE is set; allowed is that only with a URL of rediss://");
  }
  return found;
}
