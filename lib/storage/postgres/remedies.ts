/** What an operator does about a database on a server that cannot be used. */

import type { DomainError, StorageFault } from "../../base/errors.ts";
import { ConnectionFailed, sqlState } from "./faults.ts";
import type { PostgresLocation } from "./location.ts";

/** By what an operator has named a database. */
export interface SettingNames {
  url: string;
  /** The certificates by which its server is known. */
  ca: string;
}

/** The names of the database that a server works on. */
const OWN: SettingNames = { url: "DATABASE", ca: "DATABASE_CA_FILE" };

/** About a server that refuses the connection for good, by SQLSTATE. */
const REFUSALS: Record<string, string> = {
  "28000": "let pg_hba.conf admit this user from this machine, and let the role have LOGIN",
  "28P01": "put the right user and password into the URL, percent-encoded",
  "3D000": "create the database, or name another one in the URL",
  "42501": "GRANT CONNECT ON DATABASE to this user",
};

/** `undefined` unless the server is there, and refuses the connection for good. */
export function remedyOfRefusal({ cause }: DomainError): string | undefined {
  return cause instanceof ConnectionFailed ? REFUSALS[sqlState(cause) ?? ""] : undefined;
}

/** About the fault of an error of the code `storage_unavailable`, for which there is no other remedy. */
export function remediesOf(
  { data: { fault } }: DomainError,
  { isTls }: PostgresLocation,
  { url, ca }: SettingNames = OWN,
): string[] {
  const remedies: Record<StorageFault, string[]> = {
    unreachable: [
      `see that its server runs and takes connections from here, and what ${url} says of it`,
      ...isTls // a certificate that is not trusted makes it unreachable
        ? [
          "its certificate must be for this name, and by an authority that this machine trusts or " +
          `that ${ca} has`,
        ]
        : [],
    ],
    "read-only": [`let ${url} lead to the primary, or let this role write`],
    full: ["make room on the disk of its server"],
    locked: ["see in pg_stat_activity what holds its tables, and try again"],
    damaged: ["see its server's log, and restore a backup"],
    altered: [
      `a table, a column or a privilege is missing: jwks-server doctor names it, with ${OWN.url} ` +
      "leading there",
    ],
  };
  return remedies[fault!];
}
