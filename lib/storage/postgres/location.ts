/** Where a PostgreSQL database is, as a URL says (the form of libpq's connection URIs, a part of it). */

/** A database on a server. */
export interface PostgresLocation {
  /** A name or an address; of a socket, the directory that it lies in. */
  host: string;
  /** Whether `host` is such a directory. */
  isSocket: boolean;
  /** Whether nothing is said to it but by TLS: to all but this machine, and where the URL asks for it. */
  isTls: boolean;
  port: number;
  user: string;
  /** `undefined` where the server asks for none. */
  password: string | undefined;
  database: string;
}

/** What a URL may be, in words. */
export const POSTGRES_URL_RULE =
  "a URL postgres://<user>@<host>:<port>/<database>, for a socket postgres:///<database>" +
  "?host=<directory>&user=<user>; no other parameters but sslmode=verify-full, which is what is done " +
  "in any case but on this machine; @ : / ? # % and spaces in a name or a password are " +
  "percent-encoded, and pairs (host=… dbname=…) are not taken";

const DEFAULT_PORT = 5432;

/** TLS is verified to the full wherever it is needed: weaker modes would promise something else. */
const SSL_MODES = ["require", "verify-ca", "verify-full"];

/** The parameters, each of which stands at most once. */
const PARAMETERS = ["host", "port", "user", "sslmode"];

/** `undefined` for what is no such URL. */
export function parsePostgresUrl(text: string): PostgresLocation | undefined {
  if (!/^postgres(ql)?:\/\//.test(text) || !URL.canParse(text)) return undefined;
  const url = new URL(text);
  const parameters = [...url.searchParams];
  const names = parameters.map(([name]) => name);
  if (new Set(names).size < names.length || url.hash !== "") return undefined;
  if (names.some((name) => !PARAMETERS.includes(name))) return undefined;
  const { host: named, user: username, sslmode, port } = Object.fromEntries(parameters);
  if (sslmode !== undefined && !SSL_MODES.includes(sslmode)) return undefined;
  return locationOf({
    host: agreed(decoded(unbracketed(url.hostname)), named),
    port: agreed(url.port, port) || String(DEFAULT_PORT),
    user: agreed(decoded(url.username), username),
    password: decoded(url.password),
    database: decoded(url.pathname.replace(/^\//, "")),
  }, sslmode !== undefined);
}

/** What stands in the URL, or in a parameter; not in both. */
function agreed(part: string | undefined, parameter: string | undefined): string | undefined {
  if (parameter === undefined) return part;
  return part === "" ? parameter : undefined;
}

function unbracketed(host: string): string {
  return host.replace(/^\[(.*)\]$/, "$1");
}

function decoded(part: string): string | undefined {
  try {
    return decodeURIComponent(part);
  } catch {
    return undefined; // a `%` that begins nothing
  }
}

function locationOf(
  { host, port, user, password, database }: Record<
    "host" | "port" | "user" | "password" | "database",
    string | undefined
  >,
  asksForTls: boolean,
): PostgresLocation | undefined {
  if (!host || !user || password === undefined || database === undefined) return undefined;
  const number = /^\d{1,5}$/.test(port ?? "") ? Number(port) : NaN;
  if (!(number >= 1 && number <= 65_535)) return undefined;
  // The protocol ends each of them by such a character.
  if ([host, user, password, database].some((part) => part.includes("\0"))) return undefined;
  const isSocket = host.startsWith("/");
  return {
    host,
    isSocket,
    isTls: !isSocket && (asksForTls || !isLoopback(host)),
    port: number,
    user,
    password: password === "" ? undefined : password,
    database: database === "" ? user : database,
  };
}

/** Whether what is sent there stays on this machine (RFC 1122 §3.2.1.3, RFC 4291 §2.5.3, RFC 6761 §6.3). */
function isLoopback(host: string): boolean {
  return host === "localhost" || host === "::1" || /^127(\.\d{1,3}){3}$/.test(host);
}

/** Names a database to people, without its password. */
export function describePostgres(
  { host, isSocket, port, user, database }: PostgresLocation,
): string {
  const address = isSocket ? `${host}/.s.PGSQL.${port}` : host.includes(":") ? `[${host}]` : host;
  return `${database} of ${user} at ${address}${isSocket ? "" : `:${port}`}`;
}
