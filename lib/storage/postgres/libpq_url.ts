/** A database on a server as PostgreSQL's own programs are told of it. */

import type { PostgresLocation } from "./location.ts";

/**
 * The URL of the database for psql, pg_dump and their like, without its password: they ask for it, or
 * find it in ~/.pgpass or PGPASSFILE.
 *
 * @param caFile the certificates by which the server is known, if not those of the system.
 */
export function libpqUrl(
  { host, isSocket, isTls, port, user, database }: PostgresLocation,
  caFile?: string,
): string {
  const [name, role] = [database, user].map(encodeURIComponent);
  if (isSocket) {
    return `postgresql:///${name}?host=${encodeURIComponent(host)}&port=${port}&user=${role}`;
  }
  const authority = host.includes(":") ? `[${host}]` : encodeURIComponent(host);
  const url = `postgresql://${role}@${authority}:${port}/${name}`;
  if (!isTls) return url;
  return `${url}?sslmode=verify-full&sslrootcert=${encodeURIComponent(caFile ?? "system")}`;
}
