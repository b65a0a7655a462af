/** Values that are right by themselves and do not go together. */

import { KIB_A_LANE } from "../base/argon2_cost.ts";
import { formatDuration } from "../base/duration.ts";
import { PUBLICATION_DELAY } from "../rotation/policy.ts";
import { FROM_REQUEST, type Values } from "./settings.ts";
import { sharedLimitConflicts } from "./shared_limit_settings.ts";
import { FILES } from "./url_file.ts";

/** What is wrong, a sentence each, with the variables' names; `stated` are those that are set. */
export function conflicts(values: Values, stated: ReadonlySet<string>): string[] {
  const found: string[] = [];
  const { KEY_ROTATION: rotation, KEY_PREPUBLISH: prepublish } = values;
  if (rotation !== undefined && prepublish !== undefined && rotation < prepublish) {
    found.push(
      `KEY_ROTATION is ${formatDuration(rotation)}; allowed is at least KEY_PREPUBLISH ` +
        `(${formatDuration(prepublish)}), or a key would sign before caches can know it`,
    );
  }
  const { cache, revalidation } = PUBLICATION_DELAY;
  const stale = values.JWKS_STALE_IF_ERROR;
  if (prepublish !== undefined && stale !== undefined) {
    const most = prepublish - cache - revalidation;
    if (stale > most && most >= 0) {
      found.push(
        `JWKS_STALE_IF_ERROR is ${formatDuration(stale)}; allowed is at most ${
          formatDuration(most)
        }` +
          `, so that no cache keeps the keys for longer than KEY_PREPUBLISH ` +
          `(${formatDuration(prepublish)})`,
      );
    }
  }
  if (values.ISSUER === FROM_REQUEST && !values.TEST_TOKENS) {
    found.push(
      `ISSUER is ${FROM_REQUEST}; allowed is a URL, and that only with TEST_TOKENS=on, because ` +
        `whoever sends a request then says who the issuer is`,
    );
  }
  if (values.NOT_MY_KEY && values.NOT_MY_KEY_FILE) {
    found.push("NOT_MY_KEY and NOT_MY_KEY_FILE are both set; allowed is one of them");
  }
  // Who forgets DATABASE would have an empty file made. One that names a file has the rest in vain.
  if (stated.has("DATABASE_CA_FILE") && !stated.has("DATABASE") && !stated.has("DATABASE_FILE")) {
    found.push("DATABASE_CA_FILE is set without DATABASE; allowed is that only with one");
  }
  for (const [name, file] of Object.entries(FILES)) {
    if (!stated.has(name) || !stated.has(file)) continue;
    found.push(`${name} and ${file} are both set; allowed is one of them`);
  }
  found.push(...sharedLimitConflicts(values, stated));
  if (!values.TLS_CERT_FILE !== !values.TLS_KEY_FILE) {
    const [set, other] = values.TLS_CERT_FILE
      ? ["TLS_CERT_FILE", "TLS_KEY_FILE"]
      : ["TLS_KEY_FILE", "TLS_CERT_FILE"];
    found.push(`${set} is set without ${other}; allowed is both for HTTPS, or none for HTTP`);
  }
  const memory = values.ARGON2_MEMORY_KIB;
  const lanes = values.ARGON2_LANES;
  if (memory !== undefined && lanes !== undefined && memory < KIB_A_LANE * lanes) {
    found.push(
      `ARGON2_MEMORY_KIB is ${memory}; allowed is at least ${KIB_A_LANE} times ARGON2_LANES ` +
        `(${KIB_A_LANE * lanes})`,
    );
  }
  return found;
}
