/** TLS to PostgreSQL: the server's certificate is verified, and that it is for the name in the URL. */

import type { ConnectionOptions } from "node:tls";
import type { PostgresLocation } from "./location.ts";

/**
 * What the driver is to do about TLS. `ca` are certificates, as PEM, that are trusted in place of
 * those of the system (on Deno 2.4 beside them).
 */
export function tlsOptions({ isTls }: PostgresLocation, ca?: string): ConnectionOptions | false {
  if (!isTls) return false;
  return { rejectUnauthorized: true, ...ca === undefined ? {} : { ca } };
}
