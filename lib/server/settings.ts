/** The variables: what each is when it is not set, and what it may be. */

import { z } from "zod";
import { KIB_A_LANE, MOST_EXPENSIVE } from "../base/argon2_cost.ts";
import { formatDuration, parseDuration } from "../base/duration.ts";
import { parseIpAddress, parseIpNetwork } from "../base/ip_address.ts";
import { isValidHost } from "../http/host.ts";
import { ALGORITHM_NAMES, isSigningAlgorithm } from "../keys/algorithms.ts";
import { SHORTEST_PREPUBLISH } from "../keys/key_policy.ts";
import { parseValkeyUrl, VALKEY_URL_RULE } from "../limits/valkey/location.ts";
import { isLongEnough } from "../sealing/secret_file.ts";
import type { DatabaseLocation } from "../storage/location.ts";
import { parsePostgresUrl, POSTGRES_URL_RULE } from "../storage/postgres/location.ts";

export const SECRET_RULE = "a secret of at least 16 bytes";
/** The issuer is the URL that a request names. */
export const FROM_REQUEST = "from-request";

const YEAR = 365 * 86_400;

/** What is allowed, in words, and how the text becomes a value; `undefined` is not allowed. */
function parsed<T>(allowed: string, parse: (text: string) => T | undefined) {
  return z.string().transform((text, context): T => {
    const value = parse(text);
    if (value !== undefined) return value;
    context.addIssue({ code: "custom", message: allowed });
    return z.NEVER;
  });
}

function integer(minimum: number, maximum: number) {
  return parsed(`a whole number from ${minimum} to ${maximum}`, (text) => {
    const value = /^\d{1,10}$/.test(text) ? Number(text) : NaN;
    return value >= minimum && value <= maximum ? value : undefined;
  });
}

function duration(minimum: number, maximum: number) {
  const range = `from ${formatDuration(minimum)} to ${formatDuration(maximum)}`;
  return parsed(`a duration ${range}, such as 45s, 10m, 24h or 30d`, (text) => {
    const value = parseDuration(text);
    return value !== undefined && value >= minimum && value <= maximum ? value : undefined;
  });
}

function oneOf<const T extends string>(...words: T[]) {
  return parsed(`one of ${words.join(", ")}`, (text) => words.find((word) => word === text));
}

function onOff(on: string, off: string) {
  return parsed(`${on} or ${off}`, (text) => text === on ? true : text === off ? false : undefined);
}

/**
 * A URL that is the same one to every reader: `http://010.0.0.1` is 8.0.0.1 to some, and a host may
 * have `;`, `,` and `*` in it, which mean something else in a Content-Security-Policy.
 */
function parseUrl(text: string): string | undefined {
  if (!/^https?:\/\/[^?#@]+$/.test(text) || !URL.canParse(text)) return undefined;
  const { href, host } = new URL(text);
  return isValidHost(host) && (href === text || href === `${text}/`) ? text : undefined;
}

/** The routes lie below its path, where `*` and `/:name` would stand for any other. */
function parseIssuer(text: string): string | undefined {
  return /\*|\/:/.test(text) ? undefined : parseUrl(text);
}

/** RFC 7519 §2, StringOrURI: what has a colon in it is a URI. */
function parseAudience(text: string): string | undefined {
  return !text.includes(":") || (URL.canParse(text) && !/\s/.test(text)) ? text : undefined;
}

function parseNetworks(text: string): string[] | undefined {
  const networks = text.split(",").map((part) => part.trim()).filter((part) => part !== "");
  return networks.every((part) => parseIpNetwork(part) !== undefined) ? networks : undefined;
}

const path = parsed("the path of a file", parsePath);

function parsePath(text: string): string | undefined {
  return /^:memory:$|\0/.test(text) ? undefined : text;
}

/** A part of a connection string of libpq that is no URL: `host=db.example dbname=tokens`. */
const LIBPQ_PAIR = /(^|\s)(host|hostaddr|port|user|password|dbname|service|sslmode)\s*=/;

export const DATABASE_RULE = `the path of a file, or ${POSTGRES_URL_RULE}`;

/**
 * Whether a server was meant: a typing mistake in its URL, or what libpq takes in the place of one,
 * would make a file of that name, password and all.
 */
function isUrl(text: string): boolean {
  return text.includes("://") || /^postgres(ql)?:/i.test(text) || LIBPQ_PAIR.test(text);
}

function parseDatabase(text: string): DatabaseLocation | undefined {
  if (!isUrl(text)) {
    const file = parsePath(text);
    return file === undefined ? undefined : { engine: "sqlite", path: file };
  }
  const server = parsePostgresUrl(text);
  return server && { engine: "postgres", server };
}

/** Every variable: its meaning for people, the value when it is not set, and its rule. */
export const SETTINGS = {
  HOST: setting("127.0.0.1", parsed("a host name or an IP address", parseHost)),
  PORT: setting("8080", integer(0, 65_535)),
  TLS_CERT_FILE: setting(undefined, path),
  TLS_KEY_FILE: setting(undefined, path),
  DATABASE: url("totally_not_my_privateKeys.db", parsed(DATABASE_RULE, parseDatabase)),
  DATABASE_FILE: setting(undefined, path),
  DATABASE_CA_FILE: setting(undefined, path),
  MIGRATE: setting("on", onOff("on", "off")),
  NOT_MY_KEY: secret(parsed(SECRET_RULE, (text) => isLongEnough(text) ? text : undefined)),
  NOT_MY_KEY_FILE: setting(undefined, path),
  CLIENTS_FILE: setting(undefined, path),
  ISSUER: setting(
    undefined,
    parsed(
      `an http or https URL in its normal form, without query, fragment, * or /:, or ${FROM_REQUEST}`,
      (text) => text === FROM_REQUEST ? text : parseIssuer(text),
    ),
  ),
  AUDIENCE: setting(undefined, parsed("a name without a colon, or a URI", parseAudience)),
  JWKS_URI: setting(
    undefined,
    parsed("an http or https URL in its normal form, without query or fragment", parseUrl),
  ),
  TOKEN_TTL: setting("1h", duration(1, YEAR)),
  KEY_ROTATION: setting("30d", duration(SHORTEST_PREPUBLISH, 10 * YEAR)),
  KEY_PREPUBLISH: setting("24h", duration(SHORTEST_PREPUBLISH, YEAR)),
  JWKS_STALE_IF_ERROR: setting("1h", duration(0, YEAR)),
  KEY_RETENTION: setting("7d", duration(0, 10 * YEAR)),
  SIGNING_ALG: setting(
    "RS256",
    parsed(
      `one of ${ALGORITHM_NAMES.join(", ")}`,
      (text) => isSigningAlgorithm(text) ? text : undefined,
    ),
  ),
  RATE_LIMIT: setting("10", integer(1, 100_000)),
  RATE_WINDOW: setting("1s", duration(1, 86_400)),
  REDIS_URL: hidden(parsed(VALKEY_URL_RULE, parseValkeyUrl)),
  REDIS_URL_FILE: setting(undefined, path),
  REDIS_CA_FILE: setting(undefined, path),
  RATE_LIMIT_STRICT: setting("off", onOff("on", "off")),
  TRUSTED_PROXIES: setting(
    undefined,
    parsed("IP addresses and CIDR ranges separated by commas", parseNetworks),
  ),
  REGISTRATION: setting("open", onOff("open", "closed")),
  EXPIRED_TOKENS: setting("on", onOff("on", "off")),
  TEST_TOKENS: setting("off", onOff("on", "off")),
  PASSWORD_OVERLAP: setting("24h", duration(0, YEAR)),
  ARGON2_MEMORY_KIB: setting("65536", integer(KIB_A_LANE, MOST_EXPENSIVE.memoryKib)),
  ARGON2_PASSES: setting("3", integer(1, MOST_EXPENSIVE.passes)),
  ARGON2_LANES: setting("4", integer(1, MOST_EXPENSIVE.lanes)),
  AUTH_CACHE_TTL: setting("5m", duration(0, 86_400)),
  AUTH_LOG_RETENTION: setting("90d", duration(1, 100 * YEAR)),
  METRICS_ADDRESS: setting(
    undefined,
    parsed(
      "a host name or an IP address and a port, such as 127.0.0.1:9464 or [::1]:9464",
      parseAddress,
    ),
  ),
  PAGE: setting("on", onOff("on", "off")),
  LOG_LEVEL: setting("info", oneOf("debug", "info", "warn", "error")),
  LOG_FORMAT: setting(undefined, oneOf("json", "text")),
} as const;

/** A variable: what it is when it is not set, its rule, and whether its value is never shown. */
export interface Setting<R extends z.ZodType = z.ZodType> {
  fallback: string | undefined;
  rule: R;
  isSecret: boolean;
  /** Whether a wrong value is quoted. */
  mayBeShown: (text: string) => boolean;
}

function setting<R extends z.ZodType>(fallback: string | undefined, rule: R): Setting<R> {
  return { fallback, rule, isSecret: false, mayBeShown: () => true };
}

function secret<R extends z.ZodType>(rule: R): Setting<R> {
  return { fallback: undefined, rule, isSecret: true, mayBeShown: () => false };
}

/** A value that may be a URL with a password. */
function url<R extends z.ZodType>(fallback: string | undefined, rule: R): Setting<R> {
  return { ...setting(fallback, rule), mayBeShown: (text) => !isUrl(text) };
}

/** A value that is a URL with a password, or a mistyped one. */
function hidden<R extends z.ZodType>(rule: R): Setting<R> {
  return { ...setting(undefined, rule), mayBeShown: () => false };
}

/** A name must stay what it is in a URL: `10`, `a.1` and `127.0x1` are addresses there, or nothing. */
function parseHost(text: string): string | undefined {
  if (parseIpAddress(text) !== undefined) return text;
  const url = `http://${text}/`;
  const isName = /^[A-Za-z0-9][A-Za-z0-9.-]{0,252}$/.test(text) && URL.canParse(url) &&
    new URL(url).hostname === text.toLowerCase();
  return isName ? text : undefined;
}

/** A host and a port; an IPv6 address stands in brackets (RFC 3986 §3.2.2). */
function parseAddress(text: string): { host: string; port: number } | undefined {
  const [, bracketed, name, digits] = /^(?:\[([^\]]*)\]|([^:]*)):(\d{1,5})$/.exec(text) ?? [];
  const host = bracketed === undefined ? name : bracketed.includes(":") ? bracketed : undefined;
  const port = Number(digits);
  if (host === undefined || parseHost(host) === undefined || port > 65_535) return undefined;
  return { host, port };
}

export type Name = keyof typeof SETTINGS;
export type Values = { [N in Name]: z.infer<(typeof SETTINGS)[N]["rule"]> | undefined };
