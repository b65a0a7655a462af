/** How a database on a PostgreSQL server is backed up: by PostgreSQL's own programs. */

import { DomainError } from "../base/errors.ts";
import { libpqUrl } from "../storage/postgres/libpq_url.ts";
import { describePostgres, type PostgresLocation } from "../storage/postgres/location.ts";
import { shellWord } from "./shell_word.ts";

/** The database that a backup is restored into in the example. */
const RESTORED = "restored";

/** Stands for the role that owns the tables, where the URL names one that may only use them. */
const OWNER = "OWNER";

export interface BackupWish {
  file: string;
  caFile: string | undefined;
  /** Whether the role of the URL changes the tables: then it owns them. */
  migrate: boolean;
}

/** That nothing was copied, and what does it. A script must not take this for a backup. */
export function noBackupOf(
  server: PostgresLocation,
  { file, caFile, migrate }: BackupWish,
): DomainError {
  const user = migrate ? server.user : OWNER;
  const url = (database: string) => shellWord(libpqUrl({ ...server, user, database }, caFile));
  const dump = shellWord(file);
  const name = describePostgres(server);
  return new DomainError("usage", `No backup was made: ${name} is not in a file`, {
    hints: [
      `pg_dump --format=custom --file=${dump} ${url(server.database)}`,
      migrate
        ? "a role that does not own the tables needs SELECT on their sequences, too"
        : `${OWNER} is the role that owns the tables: ${server.user} may not read their sequences`,
      `to restore, as a role that may make databases: createdb --host=${shellWord(server.host)} ` +
      `--port=${server.port} --owner=${shellWord(user)} --encoding=UTF8 ` +
      `--template=template0 ${RESTORED}`,
      `then: pg_restore --exit-on-error --no-owner --dbname=${url(RESTORED)} ${dump}` +
      (migrate ? "" : `; ${server.user} is granted again what it was, if there is that role`),
      "then start the servers on it with the secret of that time, and revoke again what was " +
      "revoked since",
      "jwks-server copy --to <file> writes all of it into a SQLite file",
    ],
  });
}
