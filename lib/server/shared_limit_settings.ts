/** What the variables say together about a rate limit that servers share. */

import { parseValkeyUrl, VALKEY_URL_RULE, type ValkeyLocation } from "../limits/valkey/location.ts";
import type { Name, Values } from "./settings.ts";
import { readUrlFile } from "./url_file.ts";

export interface SharedLimitSettings {
  location: ValkeyLocation;
  /** The file of the certificates by which the server is known, when not by the usual ones. */
  caFile: string | undefined;
  /** Whether requests are refused while nothing is shared. */
  isStrict: boolean;
}

/** Reads `REDIS_URL_FILE`, too. @param stated the variables that are set, whether or not right. */
export function readSharedLimit(
  values: Values,
  stated: readonly Name[],
): { settings: SharedLimitSettings | undefined; problems: string[] } {
  const { REDIS_CA_FILE: caFile, REDIS_URL_FILE: file, RATE_LIMIT_STRICT: strict } = values;
  const isShared = stated.includes("REDIS_URL") || stated.includes("REDIS_URL_FILE");
  const problems: string[] = [];
  if (stated.includes("REDIS_URL") && stated.includes("REDIS_URL_FILE")) {
    problems.push("REDIS_URL and REDIS_URL_FILE are both set; allowed is one of them");
  }
  if (strict && !isShared) {
    problems.push(
      "RATE_LIMIT_STRICT is on; allowed is that only with REDIS_URL or REDIS_URL_FILE, without " +
        "which nothing is shared",
    );
  }
  const found = file === undefined ? values.REDIS_URL : locationIn(file);
  if (typeof found === "string") problems.push(found);
  const location = typeof found === "string" ? undefined : found;
  if (caFile && (!isShared || location?.isTls === false)) {
    problems.push("REDIS_CA_FILE is set; allowed is that only with a URL of rediss://");
  }
  const settings = location &&
    Object.freeze({ location: Object.freeze(location), caFile, isStrict: strict === true });
  return { settings, problems };
}

/** Where the file says that the server is, or what is wrong with the file. */
function locationIn(file: string): ValkeyLocation | string {
  const read = readUrlFile(file);
  const named = `REDIS_URL_FILE is ${JSON.stringify(file)}`;
  const allowed = `allowed is a file that holds ${VALKEY_URL_RULE}`;
  if ("problem" in read) return `${named}, which ${read.problem}; ${allowed}`;
  return parseValkeyUrl(read.text) ?? `${named}, which holds something else; ${allowed}`;
}
