/** The commands as an operator runs them, and what they print. */

import { hashRaw } from "@node-rs/argon2";
import assert from "node:assert/strict";
import { base64url, compactDecrypt, CompactEncrypt, createRemoteJWKSet, jwtVerify } from "jose";
import type { Client } from "./client.ts";
import { Directory, run, Server, type StartOptions } from "./harness.ts";
import { keyHeader, keyRows, settled } from "./keys.ts";
import type { Environment, Outcome } from "./process.ts";

/** The secret of every database that these tests make. */
export const SECRET = "a secret for tests only";

/** The environment in which commands find that secret. */
export const WITH_SECRET: Environment = { NOT_MY_KEY: SECRET };

/** How long to wait for what a server notices within a second, with a margin for busy machines. */
export const NOTICED = { patience: 5000 };

/** A key as `keys list --json` shows it. */
export interface ListedKey {
  kid: string;
  alg: string;
  state: "next" | "active" | "passive" | "expired" | "revoked" | "born expired";
  signer: boolean;
  sign_from: string | null;
  sign_until: string | null;
  exp: string;
}

export interface CommandOptions {
  env?: Environment;
  stdin?: string;
}

/** Runs a command that must succeed without a word on standard error, and gives its output. */
export async function done(
  directory: Directory,
  args: readonly string[],
  { env = WITH_SECRET, ...options }: CommandOptions = {},
): Promise<string> {
  const { code, stdout, stderr } = await directory.run(args, { env, ...options });
  assert.deepEqual({ code, stderr }, { code: 0, stderr: "" }, args.join(" "));
  return stdout;
}

/** Runs a command that must fail with `code`, in words for an operator and nothing else. */
export async function refused(
  directory: Directory,
  args: readonly string[],
  code: number,
  reason: RegExp,
  { env = WITH_SECRET, ...options }: CommandOptions = {},
): Promise<string> {
  const outcome = await directory.run(args, { env, ...options });
  assertRefusal(outcome, code, reason);
  return outcome.stderr;
}

/** Asserts that a command has failed with `code`, and said why on standard error alone. */
export function assertRefusal(outcome: Outcome, code: number, reason: RegExp): void {
  const [first, ...hints] = outcome.stderr.trimEnd().split("\n");
  assert.match(first!, /^jwks-server: error: /);
  assert.match(first!, reason);
  for (const hint of hints) assert.match(hint, /^jwks-server: hint: /);
  assert.deepEqual([outcome.code, outcome.stdout], [code, ""]);
}

/**
 * The digest of every file that holds something: whoever only reads a SQLite database in WAL mode
 * may leave an empty `-wal` behind.
 */
export async function contents(directory: Directory): Promise<Record<string, string>> {
  const files = await directory.files();
  const digests = Object.entries(await directory.digests());
  return Object.fromEntries(
    digests.filter(([name]) => !name.endsWith("-shm") && files.get(name)!.length > 0),
  );
}

/** What `keys list --json` says. */
export async function listKeys(directory: Directory, env = WITH_SECRET): Promise<ListedKey[]> {
  return JSON.parse(await done(directory, ["keys", "list", "--json"], { env }));
}

/** The key in a state, of which there must be exactly one. */
export function only(keys: readonly ListedKey[], state: ListedKey["state"]): ListedKey {
  const found = keys.filter((key) => key.state === state);
  assert.equal(found.length, 1, `${state}: ${JSON.stringify(keys)}`);
  return found[0]!;
}

/** Starts a server whose secret is `SECRET`, and waits for all of its first keys. */
export async function startSettled({ env, ...options }: StartOptions = {}): Promise<Server> {
  const server = await Server.start({ ...options, env: { ...WITH_SECRET, ...env } });
  await settled(server);
  return server;
}

/** A directory with the database of a server that has made its first keys and was stopped. */
export async function preparedDirectory(env: Environment = WITH_SECRET): Promise<Directory> {
  const directory = new Directory();
  const server = await Server.start({ directory, env });
  await settled(server);
  await server.stop();
  return directory;
}

/** Verifies a token as any consumer would, through the JWKS of `server`; gives its `kid`. */
export async function verify(server: Client, token: string): Promise<string> {
  const set = createRemoteJWKSet(new URL(`${server.url}/.well-known/jwks.json`));
  return (await jwtVerify(token, set)).protectedHeader.kid!;
}

/** The `kid` in the header of a token. */
export function kidOf(token: string): string {
  return JSON.parse(atob(token.split(".")[0]!)).kid;
}

/** The kids in the JWKS of a server. */
export async function publishedKids(server: Client): Promise<string[]> {
  return (await server.jwks()).json.keys.map(({ kid }: { kid: string }) => kid);
}

/** The version of Deno that the program runs on, `[major, minor]`. */
export async function runtimeVersion(): Promise<[number, number]> {
  await using directory = new Directory();
  const { stdout } = await run(["--version"], { cwd: directory.path });
  const [, major, minor] = /\(Deno (\d+)\.(\d+)\./.exec(stdout)!;
  return [Number(major), Number(minor)];
}

/** Makes every key look as if it had been made `seconds` earlier, as one with the secret can. */
export async function makeOlder(directory: Directory, seconds: number): Promise<void> {
  const kek = await keyEncryptionKey(directory);
  const older = await Promise.all(
    keyRows(directory).map(async (row) => {
      const { kid, sign_from, sign_until, exp, ...rest } = keyHeader(row);
      const { plaintext } = await compactDecrypt(row.key, kek);
      const header = {
        ...rest,
        enc: "A256GCM",
        kid: String(Number(kid) - seconds * 1000),
        sign_from: sign_from - seconds,
        sign_until: sign_until - seconds,
        exp: exp - seconds,
      };
      const key = await new CompactEncrypt(plaintext).setProtectedHeader(header).encrypt(kek);
      return { kid: Number(header.kid), key: new TextEncoder().encode(key), exp: header.exp };
    }),
  );
  const database = directory.open();
  database.exec("BEGIN IMMEDIATE; DELETE FROM keys");
  const insert = database.prepare("INSERT INTO keys (kid, key, exp) VALUES (?, ?, ?)");
  for (const { kid, key, exp } of older) insert.run(kid, key, exp);
  database.exec("COMMIT");
  database.close();
}

/** The key under which `SECRET` has sealed the keys of a database. */
export async function keyEncryptionKey(directory: Directory): Promise<Uint8Array> {
  const [row] = directory.query<{ value: Uint8Array }>(
    "SELECT value FROM meta WHERE name = 'kek_derivation'",
  );
  const { salt, memoryKib, passes, lanes } = JSON.parse(new TextDecoder().decode(row!.value));
  const cost = { memoryCost: memoryKib, timeCost: passes, parallelism: lanes };
  return new Uint8Array(
    await hashRaw(SECRET, { salt: base64url.decode(salt), ...cost, outputLen: 32 }),
  );
}
