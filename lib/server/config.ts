/** The configuration: environment variables, read once into one frozen, validated object. */

import ipaddr from "ipaddr.js";
import { z } from "zod";
import { formatDuration, parseDuration } from "../base/duration.ts";
import { CommandError, EXIT } from "../base/errors.ts";
import { isLongEnough } from "../sealing/secret.ts";
import { isSigningAlgorithm, SIGNING_ALGORITHMS } from "../keys/signing_key.ts";

/** Seconds for which verifiers and other processes may not know a change of the published set. */
export const PUBLICATION_DELAY = { cache: 300, poll: 60 } as const;

/** How many seconds a verifier's clock may be off: how much longer than its tokens a key is published. */
export const CLOCK_SKEW = 300;

const SHORTEST_PREPUBLISH = PUBLICATION_DELAY.cache + PUBLICATION_DELAY.poll;
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

function parseIssuer(text: string): string | undefined {
  if (!URL.canParse(text) || /[?#]/.test(text)) return undefined;
  const { protocol, username, password } = new URL(text);
  const plain = !username && !password && /^https?:$/.test(protocol);
  return plain ? text : undefined;
}

function parseNetworks(text: string): string[] | undefined {
  const networks = text.split(",").map((part) => part.trim()).filter((part) => part !== "");
  const valid = networks.every((part) => ipaddr.isValidCIDR(part) || ipaddr.isValid(part));
  return valid ? networks : undefined;
}

const path = parsed("the path of a file", (text) => /^:memory:$|\0/.test(text) ? undefined : text);

/** Every variable: its meaning for people, the value when it is not set, and its rule. */
export const SETTINGS = {
  HOST: setting("127.0.0.1", parsed("a host name or an IP address", parseHost)),
  PORT: setting("8080", integer(0, 65_535)),
  DATABASE: setting("totally_not_my_privateKeys.db", path),
  NOT_MY_KEY: secret(
    parsed(
      "a secret of at least 16 bytes",
      (text) => isLongEnough(text) ? text : undefined,
    ),
  ),
  NOT_MY_KEY_FILE: setting(undefined, path),
  ISSUER: setting(
    undefined,
    parsed("an http or https URL without query or fragment", parseIssuer),
  ),
  AUDIENCE: setting(undefined, parsed("a name or a URL", (text) => text)),
  TOKEN_TTL: setting("1h", duration(1, YEAR)),
  KEY_ROTATION: setting("30d", duration(SHORTEST_PREPUBLISH, 10 * YEAR)),
  KEY_PREPUBLISH: setting("24h", duration(SHORTEST_PREPUBLISH, YEAR)),
  KEY_RETENTION: setting("7d", duration(0, 10 * YEAR)),
  SIGNING_ALG: setting(
    "RS256",
    parsed(
      `one of ${Object.keys(SIGNING_ALGORITHMS).join(", ")}`,
      (text) => isSigningAlgorithm(text) ? text : undefined,
    ),
  ),
  RATE_LIMIT: setting("10", integer(1, 100_000)),
  RATE_WINDOW: setting("1s", duration(1, 86_400)),
  TRUSTED_PROXIES: setting(
    undefined,
    parsed("IP addresses and CIDR ranges separated by commas", parseNetworks),
  ),
  REGISTRATION: setting("open", onOff("open", "closed")),
  EXPIRED_TOKENS: setting("on", onOff("on", "off")),
  ARGON2_MEMORY_KIB: setting("65536", integer(8, 4_194_304)),
  ARGON2_PASSES: setting("3", integer(1, 1000)),
  ARGON2_LANES: setting("4", integer(1, 255)),
  AUTH_LOG_RETENTION: setting("90d", duration(1, 100 * YEAR)),
  LOG_LEVEL: setting("info", oneOf("debug", "info", "warn", "error")),
} as const;

type Name = keyof typeof SETTINGS;
type Values = { [N in Name]: z.infer<(typeof SETTINGS)[N]["rule"]> | undefined };

/** The validated configuration. Every duration is in whole seconds. */
export type Config = ReturnType<typeof toConfig>;

/**
 * Reads and validates every variable through `read`; a variable that is empty counts as not set,
 * but for `NOT_MY_KEY`, where that is most likely a mistake in the caller's script.
 *
 * @throws {CommandError} with exit code 78 that names every problem at once.
 */
export function loadConfig(read: (name: string) => string | undefined): Config {
  const values: Partial<Record<Name, unknown>> = {};
  const problems: string[] = [];
  for (const [name, { fallback, rule, isSecret }] of Object.entries(SETTINGS)) {
    const given = read(name);
    const text = given || (isSecret ? given : undefined) || fallback;
    if (text === undefined) continue;
    const result = rule.safeParse(text);
    if (result.success) values[name as Name] = result.data;
    else {
      const shown = isSecret ? "a value that is not shown" : JSON.stringify(text);
      problems.push(`${name} is ${shown}; allowed is ${result.error.issues[0]!.message}`);
    }
  }
  if (read("NOT_MY_KEY") === "") {
    problems.push("NOT_MY_KEY is empty; allowed is a secret of at least 16 bytes");
  }
  problems.push(...conflicts(values as Values, read));
  if (problems.length > 0) {
    throw new CommandError(EXIT.config, `the configuration has ${count(problems)}`, problems);
  }
  return toConfig(values as Values);
}

function conflicts(values: Values, read: (name: string) => string | undefined): string[] {
  const found: string[] = [];
  const { KEY_ROTATION: rotation, KEY_PREPUBLISH: prepublish } = values;
  if (rotation !== undefined && prepublish !== undefined && rotation < prepublish) {
    found.push(
      `KEY_ROTATION is ${formatDuration(rotation)}; allowed is at least KEY_PREPUBLISH ` +
        `(${formatDuration(prepublish)}), or a key would sign before caches can know it`,
    );
  }
  if (read("NOT_MY_KEY") && values.NOT_MY_KEY_FILE) {
    found.push("NOT_MY_KEY and NOT_MY_KEY_FILE are both set; allowed is one of them");
  }
  const memory = values.ARGON2_MEMORY_KIB;
  const lanes = values.ARGON2_LANES;
  if (memory !== undefined && lanes !== undefined && memory < 8 * lanes) {
    found.push(
      `ARGON2_MEMORY_KIB is ${memory}; allowed is at least 8 times ARGON2_LANES (${8 * lanes})`,
    );
  }
  return found;
}

function toConfig(values: Values) {
  return Object.freeze({
    host: values.HOST!,
    port: values.PORT!,
    database: values.DATABASE!,
    secret: values.NOT_MY_KEY,
    secretFile: values.NOT_MY_KEY_FILE,
    issuer: values.ISSUER,
    audience: values.AUDIENCE,
    rotation: Object.freeze({
      tokenTtl: values.TOKEN_TTL!,
      rotation: values.KEY_ROTATION!,
      prepublish: values.KEY_PREPUBLISH!,
      retention: values.KEY_RETENTION!,
      expiredTokens: values.EXPIRED_TOKENS!,
    }),
    signingAlg: values.SIGNING_ALG!,
    rateLimit: values.RATE_LIMIT!,
    rateWindow: values.RATE_WINDOW!,
    trustedProxies: Object.freeze(values.TRUSTED_PROXIES ?? []),
    registration: values.REGISTRATION!,
    argon2: Object.freeze({
      memoryKib: values.ARGON2_MEMORY_KIB!,
      passes: values.ARGON2_PASSES!,
      lanes: values.ARGON2_LANES!,
    }),
    authLogRetention: values.AUTH_LOG_RETENTION!,
    logLevel: values.LOG_LEVEL!,
  });
}

function setting<R extends z.ZodType>(fallback: string | undefined, rule: R) {
  return { fallback, rule, isSecret: false };
}

function secret<R extends z.ZodType>(rule: R) {
  return { fallback: undefined, rule, isSecret: true };
}

function parseHost(text: string): string | undefined {
  return ipaddr.isValid(text) || /^[A-Za-z0-9]([A-Za-z0-9.-]{0,252})$/.test(text)
    ? text
    : undefined;
}

function count(problems: readonly string[]): string {
  return problems.length === 1 ? "a problem" : `${problems.length} problems`;
}
