/** How a database on a PostgreSQL server is backed up: by PostgreSQL's own programs. */

import { DomainError } from "../base/errors.ts";
import { libpqUrl } from "../storage/postgres/libpq_url.ts";
import { describePostgres, type PostgresLocation } from "../storage/postgres/location.ts";

/** The database that a backup is restored into in the example. */
const RESTORED = "restored";

/** That nothing was copied, and what does it. A script must not take this for a backup. */
export function noBackupOf(
  server: PostgresLocation,
  { file, caFile }: { file: string; caFile: string | undefined },
): DomainError {
  const url = (database: string) => quoted(libpqUrl({ ...server, database }, caFile));
  const dump = quoted(file);
  const name = describePostgres(server);
  return new DomainError("usage", `No backup was made: ${name} is not in a file`, {
    hints: [
      `pg_dump --format=custom --file=${dump} ${url(server.database)}`,
      `to restore, as a role that may make databases: createdb --host=${quoted(server.host)} ` +
      `--port=${server.port} --owner=${quoted(server.user)} --encoding=UTF8 ` +
      `--template=template0 ${RESTORED}`,
      `then: pg_restore --exit-on-error --no-owner --dbname=${url(RESTORED)} ${dump}`,
      "then start the servers on it with the secret of that time, and revoke again what was " +
      "revoked since",
      "jwks-server copy --to <file> writes all of it into a SQLite file",
    ],
  });
}

/** A word as a shell takes it. */
function quoted(text: string): string {
  return /^[\w@%+=:,./[\]-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`;
}
