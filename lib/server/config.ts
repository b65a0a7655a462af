/** The configuration: environment variables, read once into one frozen, validated object. */

import { DomainError } from "../base/errors.ts";
import { printable } from "../base/text.ts";
import type { KeyPolicy } from "../keys/key_policy.ts";
import type { DatabaseLocation } from "../storage/location.ts";
import { CLOCK_SKEW } from "../rotation/policy.ts";
import { FILES, readValueFile } from "./url_file.ts";
import {
  DATABASE_RULE,
  FROM_REQUEST,
  type Name,
  SECRET_RULE,
  type Setting,
  SETTINGS,
  type Values,
} from "./settings.ts";
import { conflicts } from "./setting_conflicts.ts";
import { sharedLimitOf } from "./shared_limit_settings.ts";

/** The validated configuration. Every duration is in whole seconds. */
export type Config = ReturnType<typeof toConfig>;

/** Reads a variable of the environment. */
export type ReadVariable = (name: string) => string | undefined;

/** What is wrong with a variable that does not say what it means. */
class Problem {
  constructor(readonly text: string) {}
}

/**
 * Reads and validates every variable through `read`; a variable that is empty counts as not set,
 * but for `NOT_MY_KEY`, where that is most likely a mistake in the caller's script.
 *
 * @throws {DomainError} `configuration` that names every problem at once, and no secret's value.
 */
export function loadConfig(read: ReadVariable): Config {
  const values: Partial<Record<Name, unknown>> = {};
  const problems: string[] = [];
  for (const name of Object.keys(SETTINGS) as Name[]) {
    const value = readSetting(read, name);
    if (value instanceof Problem) problems.push(value.text);
    else if (value !== undefined) values[name] = value;
  }
  const stated = new Set((Object.keys(SETTINGS) as Name[]).filter((name) => isStated(read, name)));
  problems.push(...conflicts(values as Values, stated));
  if (problems.length === 0) return toConfig(values as Values, stated);
  const count = problems.length === 1 ? "a problem" : `${problems.length} problems`;
  throw new DomainError("configuration", `The configuration has ${count}`, { hints: problems });
}

/**
 * The secret in a variable, or `undefined` when it is not set.
 *
 * @throws {DomainError} `configuration`, by the variable's name alone, when it is empty, not UTF-8
 * or too short.
 */
export function readSecret(read: ReadVariable, name: string): string | undefined {
  const value = validate(read, name, SETTINGS.NOT_MY_KEY);
  if (!(value instanceof Problem)) return value as string | undefined;
  throw new DomainError("configuration", value.text);
}

/**
 * The database that a text names as `DATABASE` would; `name` is what the text was given by.
 *
 * @throws {DomainError} `usage` by that name; no URL is quoted.
 */
export function parseLocation(name: string, text: string): DatabaseLocation {
  const value = text === ""
    ? new Problem(`${name} is empty; allowed is ${DATABASE_RULE}`)
    : validate(() => text, name, SETTINGS.DATABASE);
  if (!(value instanceof Problem)) return value as DatabaseLocation;
  throw new DomainError("usage", value.text);
}

function readSetting(read: ReadVariable, name: Name): unknown {
  const fileVariable = FILES[name];
  if (fileVariable === undefined) return validate(read, name, SETTINGS[name]);
  const [given, path] = [readText(read, name), readText(read, fileVariable)];
  if (given || !path || path instanceof Problem) return validate(read, name, SETTINGS[name]);
  let value: string;
  try {
    value = readValueFile(path);
  } catch (error) {
    const reason = (error as Error).message;
    return new Problem(`${fileVariable} is ${JSON.stringify(path)}, which ${reason}`);
  }
  const rest = { ...SETTINGS[name], mayBeShown: () => false };
  return validate(() => value, `the value in the file of ${fileVariable}`, rest);
}

function validate(
  read: ReadVariable,
  name: string,
  { fallback, rule, isSecret, mayBeShown }: Setting,
): unknown {
  const given = readText(read, name);
  if (given instanceof Problem) return given;
  if (isSecret && given === "") return new Problem(`${name} is empty; allowed is ${SECRET_RULE}`);
  const text = given || fallback;
  if (text === undefined) return undefined;
  const shown = mayBeShown(text) ? JSON.stringify(text) : "a value that is not shown";
  const result = rule.safeParse(text);
  if (!result.success) {
    return new Problem(`${name} is ${shown}; allowed is ${result.error.issues[0]!.message}`);
  }
  if (isSecret || (text.trim() === text && printable(text) === text)) return result.data;
  return new Problem(
    `${name} is ${shown}; allowed is a value without control characters and space around it`,
  );
}

function isStated(read: ReadVariable, name: Name): boolean {
  const text = readText(read, name);
  return typeof text === "string" && text !== "";
}

/** Deno throws for a value that is not UTF-8, in words that hold all of it. */
function readText(read: ReadVariable, name: string): string | undefined | Problem {
  try {
    return read(name);
  } catch {
    return new Problem(`${name} is not UTF-8; allowed is a value in UTF-8`);
  }
}

function toConfig(values: Values, stated: ReadonlySet<string>) {
  return Object.freeze({
    /** The variables that are set: the others are as they are by default. */
    stated,
    host: values.HOST!,
    port: values.PORT!,
    /** The files of the certificate with which it speaks HTTPS. */
    tls: values.TLS_CERT_FILE && values.TLS_KEY_FILE
      ? Object.freeze({ certFile: values.TLS_CERT_FILE, keyFile: values.TLS_KEY_FILE })
      : undefined,
    database: Object.freeze(values.DATABASE!),
    /** The file with the certificates by which the database's server is known, if not the usual ones. */
    databaseCaFile: values.DATABASE_CA_FILE,
    /** The files of URLs, which may hold a password, by the variables that name them. */
    urlFiles: Object.freeze(urlFilesOf(values)),
    /** Whether the server brings the database's schema up to date. */
    migrate: values.MIGRATE!,
    secret: values.NOT_MY_KEY,
    secretFile: values.NOT_MY_KEY_FILE,
    clientsFile: values.CLIENTS_FILE,
    /** When it is stated, and one for all requests. */
    issuer: values.ISSUER === FROM_REQUEST ? undefined : values.ISSUER,
    /** Whether the issuer is the URL that each request names. */
    issuerFromRequest: values.ISSUER === FROM_REQUEST,
    audience: values.AUDIENCE,
    jwksUri: values.JWKS_URI,
    passwordOverlap: values.PASSWORD_OVERLAP!,
    policy: Object.freeze<KeyPolicy>({
      alg: values.SIGNING_ALG!,
      tokenTtl: values.TOKEN_TTL!,
      rotation: values.KEY_ROTATION!,
      prepublish: values.KEY_PREPUBLISH!,
      retention: values.KEY_RETENTION!,
      expiredTokens: values.EXPIRED_TOKENS!,
      staleIfError: values.JWKS_STALE_IF_ERROR!,
      clockSkew: CLOCK_SKEW,
    }),
    rateLimit: values.RATE_LIMIT!,
    rateWindow: values.RATE_WINDOW!,
    /** Where servers share the rate limit, if they do. */
    sharedLimit: sharedLimitOf(values),
    trustedProxies: Object.freeze(values.TRUSTED_PROXIES ?? []),
    registration: values.REGISTRATION!,
    /** Whether clients may ask for tokens that are wrong, or say what they choose. */
    testTokens: values.TEST_TOKENS!,
    /** Whether there is a page for people at `/`. */
    page: values.PAGE!,
    argon2: Object.freeze({
      memoryKib: values.ARGON2_MEMORY_KIB!,
      passes: values.ARGON2_PASSES!,
      lanes: values.ARGON2_LANES!,
    }),
    authCacheTtl: values.AUTH_CACHE_TTL!,
    authLogRetention: values.AUTH_LOG_RETENTION!,
    /** Where the metrics are served, if anywhere. */
    metricsAddress: values.METRICS_ADDRESS,
    logLevel: values.LOG_LEVEL!,
    /** How the log is written, when not as suits who reads it. */
    logFormat: values.LOG_FORMAT,
  });
}

function urlFilesOf({ DATABASE_FILE, REDIS_URL_FILE }: Values): Record<string, string> {
  return {
    ...DATABASE_FILE === undefined ? {} : { DATABASE_FILE },
    ...REDIS_URL_FILE === undefined ? {} : { REDIS_URL_FILE },
  };
}
