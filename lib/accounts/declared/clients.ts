/** Clients declared in a file: what that changes, and all of it done at once or nothing. */

import { Buffer } from "node:buffer";
import type { Argon2Cost } from "../../base/argon2_cost.ts";
import type { Clock } from "../../base/clock.ts";
import { DomainError } from "../../base/errors.ts";
import type {
  ClientRecord,
  ClientStorage,
  ClientUpdate,
  UserRecord,
  UserStorage,
} from "../../storage/storage.ts";
import { pagesOfUsers } from "../../storage/user_pages.ts";
import { differenceOf, toCredential } from "./changes.ts";
import type { Declaration, DeclaredClient } from "./file.ts";
import { isNoPassword, noPasswordHash } from "./no_password.ts";
import { foldCase, type Problem, refusal } from "./problem.ts";
import { OPERATOR } from "../operator.ts";
import type { PasswordHasher } from "../password.ts";
import { hashName } from "../tombstone.ts";
import { hashOf, rowHash } from "../user_state.ts";

export interface DeclaredClientsParts {
  storage: UserStorage & ClientStorage;
  hasher: PasswordHasher;
  /** What a password costs: also the one that a client with keys alone does not have. */
  cost: Argon2Cost;
  clock: Clock;
}

export interface ApplyOptions {
  /** Whether clients that the file does not name are deleted; else they are left alone. */
  prune?: boolean | undefined;
  /** Whether it is only told what would change. */
  dryRun?: boolean | undefined;
  /** Is told how many of the clients are decided: a password takes its time. */
  onProgress?: ((done: number, total: number) => void) | undefined;
}

/** How often it is decided anew because others change clients at the same moment. */
const MOST_ATTEMPTS = 20;

/** What is to be done with the clients as they were read. */
interface Plan {
  expected: ClientRecord[];
  remove: UserRecord[];
  update: ClientUpdate[];
  create: { client: DeclaredClient; hash: string }[];
  /** What is told, by client. */
  told: { username: string; lines: string[] }[];
}

/**
 * Makes the clients what the file says, in one transaction, and gives a line for each change, in the
 * order of the names; none when they are that already.
 *
 * @throws {DomainError} `configuration` for names that were deleted and addresses of others, by
 * their JSON paths; `conflict` when others change clients again and again. Nothing is stored then.
 */
export async function applyDeclaration(
  parts: DeclaredClientsParts,
  declaration: Declaration,
  options: ApplyOptions = {},
): Promise<string[]> {
  const hashes = new Map<string, string>();
  for (let attempt = 0; attempt < MOST_ATTEMPTS; attempt++) {
    const plan = await decide(parts, declaration, options, hashes);
    const told = plan.told.toSorted((one, other) => one.username < other.username ? -1 : 1);
    const lines = told.flatMap(({ lines }) => lines);
    if (options.dryRun || lines.length === 0 || await store(parts, plan)) return lines;
  }
  const message = "The clients were changed by others again and again; nothing is changed";
  throw new DomainError("conflict", message, { hints: ["try again"] });
}

/** @param hashes the hashes that were made before, by username: each costs. */
async function decide(
  parts: DeclaredClientsParts,
  declaration: Declaration,
  { prune = false, onProgress = () => {} }: ApplyOptions,
  hashes: Map<string, string>,
): Promise<Plan> {
  const { storage, clock } = parts;
  const { clients } = declaration;
  const named = new Set(clients.map(({ username }) => foldCase(username)));
  const isKept = ({ username }: UserRecord) => !prune || named.has(foldCase(username));
  const remove: UserRecord[] = [];
  if (prune) {
    for await (const users of pagesOfUsers(storage)) {
      remove.push(...users.filter((user) => !isKept(user)));
    }
  }
  const plan: Plan = { expected: [], remove, update: [], create: [], told: [] };
  await refuseTaken(storage, declaration, isKept);
  for (const { username } of remove) {
    plan.told.push({ username, lines: [`- client ${username}`] });
  }
  for (const [done, client] of clients.entries()) {
    onProgress(done, clients.length);
    const { username, keys } = client;
    const record = await storage.findClient(username);
    const hash = await newHash(parts, client, record, hashes);
    if (record === undefined) {
      plan.create.push({ client, hash: hash! });
      const added = keys.map(({ kid }) => `+ key ${kid} of client ${username}`);
      plan.told.push({ username, lines: [`+ client ${username}`, ...added] });
      continue;
    }
    plan.expected.push(record);
    const { update, lines } = differenceOf(record, client, hash, clock());
    if (lines.length === 0) continue;
    plan.update.push(update);
    plan.told.push({ username: record.user.username, lines });
  }
  return plan;
}

/** @throws {DomainError} `configuration` for names that were deleted, and addresses of others. */
async function refuseTaken(
  storage: UserStorage & ClientStorage,
  { file, clients }: Declaration,
  isKept: (user: UserRecord) => boolean,
): Promise<void> {
  const tombstones = new Set((await storage.readTombstones()).map(toHex));
  const problems: Problem[] = [];
  for (const { path, username, email } of clients) {
    // Without tombstones there may be no key yet to hash a name under.
    if (tombstones.size > 0 && await storage.findUser(username) === undefined) {
      const isDeleted = tombstones.has(toHex(await hashName(storage, username)));
      const message = "a client of this name was deleted: the name is never given again";
      if (isDeleted) problems.push({ path: [...path, "username"], message });
    }
    const owner = email === undefined ? undefined : await storage.findUserByEmail(email);
    if (owner !== undefined && isKept(owner) && foldCase(owner.username) !== foldCase(username)) {
      const message = `it is the address of ${owner.username}`;
      problems.push({ path: [...path, "email"], message });
    }
  }
  if (problems.length > 0) throw refusal(file, problems);
}

function toHex(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString("hex");
}

/** The hash that a client is to have; `undefined` when it has its password already. */
async function newHash(
  { hasher, cost }: DeclaredClientsParts,
  { username, password }: DeclaredClient,
  record: ClientRecord | undefined,
  made: Map<string, string>,
): Promise<string | undefined> {
  const current = record && hashOf(record.user);
  if (password === undefined) {
    return current !== undefined && isNoPassword(current) ? undefined : noPasswordHash(cost);
  }
  if ("hash" in password) return password.hash === current ? undefined : password.hash;
  if (current !== undefined) {
    const { right } = await hasher.verify([current], password.text, OPERATOR);
    if (right !== undefined) return undefined;
  }
  const hash = made.get(username) ?? await hasher.hash(password.text, OPERATOR);
  made.set(username, hash);
  return hash;
}

/** False, with nothing stored, when the clients are not as they were read any more. */
async function store(
  { storage, clock }: DeclaredClientsParts,
  { expected, remove, update, create }: Plan,
): Promise<boolean> {
  const at = clock();
  const removed = [];
  for (const { id, username } of remove) {
    removed.push({ userId: id, nameHash: await hashName(storage, username) });
  }
  const created = [];
  for (const { client: { username, email = null, disabled = false, ...client }, hash } of create) {
    created.push({
      username,
      email,
      at,
      passwordHash: rowHash(hash, disabled),
      nameHash: await hashName(storage, username),
      policy: client.policy && JSON.stringify(client.policy),
      keys: client.keys.map((key) => toCredential(key, at)),
    });
  }
  return await storage.applyClients(expected, { remove: removed, update, create: created });
}
