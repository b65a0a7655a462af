/** Where the Valkey or Redis is that servers share their limits on, as a URL says. */

export interface ValkeyLocation {
  host: string;
  port: number;
  /** `undefined` for its default user. */
  user: string | undefined;
  password: string | undefined;
  /** The number of the database in it. */
  database: number;
  isTls: boolean;
}

/** What a URL may be, in words. */
export const VALKEY_URL_RULE =
  "a URL redis://<user>:<password>@<host>:<port>/<number of the database>, or rediss:// for TLS; " +
  "all but the host may be left out";

const DEFAULT_PORT = 6379;

/** `undefined` for what is no such URL. */
export function parseValkeyUrl(text: string): ValkeyLocation | undefined {
  const scheme = /^redis(s?):\/\/[^?#\s]+$/.exec(text);
  if (scheme === null || !URL.canParse(text)) return undefined;
  const url = new URL(text);
  const host = decoded(url.hostname.replace(/^\[(.*)\]$/, "$1"));
  const port = url.port === "" ? DEFAULT_PORT : Number(url.port);
  const database = /^\/?(\d{0,5})$/.exec(url.pathname)?.[1];
  const [user, password] = [decoded(url.username), decoded(url.password)];
  if (!host || port === 0 || database === undefined) return undefined;
  if (user === undefined || password === undefined) return undefined;
  if (user !== "" && password === "") return undefined; // who has a name has a password
  return {
    host,
    port,
    user: user || undefined,
    password: password || undefined,
    database: Number(database),
    isTls: scheme[1] === "s",
  };
}

function decoded(part: string): string | undefined {
  try {
    return decodeURIComponent(part);
  } catch {
    return undefined; // a `%` that begins nothing
  }
}

/** Names it to people, without its password. */
export function describeValkey({ host, port, user, database, isTls }: ValkeyLocation): string {
  const userinfo = user === undefined ? "" : `${user}@`;
  const address = host.includes(":") ? `[${host}]` : host;
  const path = database === 0 ? "" : `/${database}`;
  return `${isTls ? "rediss" : "redis"}://${userinfo}${address}:${port}${path}`;
}
