/** A file that declares clients, read and found right before anything is done. */

import { dirname, resolve } from "node:path";
import type { z } from "zod";
import { decodeUtf8 } from "../../base/bytes.ts";
import { irregularity, readFileAtMost } from "../../base/disk.ts";
import { DomainError, isDomainError } from "../../base/errors.ts";
import type { ClientPolicy } from "../client_policy.ts";
import type { ClientKey } from "../client_records.ts";
import { parseDeclarationJson } from "./json.ts";
import { foldCase, type JsonPath, type Problem, refusal } from "./problem.ts";
import { createDeclarationSchema, type DeclaredMembers, type SchemaParts } from "./schema.ts";
import { assertPassword, PASSWORD_BYTES } from "../password.ts";
import { describeIssue } from "./words.ts";

/** How much is read of the file, in bytes. */
const LONGEST_FILE = 16 * 1024 * 1024;

/** A client as it is to be. */
export interface DeclaredClient {
  /** Where it stands in the file. */
  path: JsonPath;
  username: string;
  /** Stays as it is when it is not there. */
  email: string | undefined;
  /** Without any, the client has no password. */
  password: { hash: string } | { text: string } | undefined;
  keys: readonly ClientKey[];
  /** Without it, the client has none. */
  policy: ClientPolicy | undefined;
  /** Stays as it is when it is not there. */
  disabled: boolean | undefined;
}

/** What a file says. */
export interface Declaration {
  file: string;
  clients: readonly DeclaredClient[];
}

/**
 * Reads a file of clients, and the password files that it names.
 *
 * @throws {DomainError} `configuration` that names every problem by its JSON path.
 */
export async function readDeclaration(file: string, parts: SchemaParts): Promise<Declaration> {
  const { value, problems } = parseDeclarationJson(await readText(file));
  if (value === undefined) throw refusal(file, problems);
  const schema = createDeclarationSchema(parts);
  const { data, error } = await schema.safeParseAsync(value, { error: describeIssue });
  problems.push(...(error?.issues ?? []).flatMap(problemsOf));
  const clients = rawClients(value);
  problems.push(...clients.flatMap(missingCredential), ...repetitions(clients));
  const passwords = await readPasswords(clients, dirname(file), problems);
  if (data === undefined || problems.length > 0) throw refusal(file, problems);
  return {
    file,
    clients: data.clients.map((client, index) => toDeclared(client, index, passwords.get(index))),
  };
}

function toDeclared(
  { username, email, password_hash: hash, keys, policy, disabled }: DeclaredMembers,
  index: number,
  text: string | undefined,
): DeclaredClient {
  const password = hash !== undefined ? { hash } : text !== undefined ? { text } : undefined;
  return { path: ["clients", index], username, email, password, keys, policy, disabled };
}

async function readText(file: string): Promise<string> {
  try {
    const bytes = await readFileAtMost(LONGEST_FILE, file);
    if (bytes !== undefined) return decodeUtf8(bytes);
  } catch (cause) {
    const message = `The clients file ${file} cannot be read as text`;
    throw new DomainError("configuration", message, {
      hints: ["it must be a JSON file in UTF-8 that this user may read"],
      cause,
    });
  }
  const message = `The clients file ${file} has more than ${LONGEST_FILE} bytes`;
  throw new DomainError("configuration", message);
}

/** An issue as problems: of members that nobody knows, each is one. */
function problemsOf(issue: z.core.$ZodIssue): Problem[] {
  const { path, message } = issue;
  if (issue.code !== "unrecognized_keys") return [{ path, message }];
  return issue.keys.map((key) => ({ path: [...path, key], message: "there is no such member" }));
}

/** A client as it stands in the file, right or not, with its place. */
type RawClient = [index: number, members: Readonly<Record<string, unknown>>];

/** What is said of several members is checked on these, so that no problem hides another. */
function rawClients(value: unknown): RawClient[] {
  const { clients } = Object(value);
  if (!Array.isArray(clients)) return [];
  return clients.map((client, index): RawClient => [index, Object(client)]);
}

function missingCredential([index, { password_hash, password_file, keys }]: RawClient): Problem[] {
  const path = ["clients", index];
  if (password_hash !== undefined && password_file !== undefined) {
    return [{ path, message: "has both password_hash and password_file; allowed is one of them" }];
  }
  const hasKeys = keys !== undefined && !(Array.isArray(keys) && keys.length === 0);
  if (password_hash !== undefined || password_file !== undefined || hasKeys) return [];
  return [{ path, message: "needs a credential: password_hash, password_file or keys" }];
}

/** Names and addresses that another client of the file has, in any ASCII case. */
function repetitions(clients: readonly RawClient[]): Problem[] {
  const problems: Problem[] = [];
  for (const member of ["username", "email"]) {
    const seen = new Map<string, number>();
    for (const [index, { [member]: value }] of clients) {
      if (typeof value !== "string") continue;
      const first = seen.get(foldCase(value));
      if (first === undefined) seen.set(foldCase(value), index);
      else {
        const message = `$.clients[${first}] has the same, or one that differs in case alone`;
        problems.push({ path: ["clients", index, member], message });
      }
    }
  }
  return problems;
}

/** The passwords by the place of their client; one file after the other, however many there are. */
async function readPasswords(
  clients: readonly RawClient[],
  directory: string,
  problems: Problem[],
): Promise<Map<number, string>> {
  const passwords = new Map<number, string>();
  for (const [index, { password_file: file }] of clients) {
    if (typeof file !== "string" || file === "") continue;
    try {
      passwords.set(index, await readPasswordFile(resolve(directory, file)));
    } catch (error) {
      const message = isDomainError(error) ? error.message : "the file cannot be read as text";
      problems.push({ path: ["clients", index, "password_file"], message });
    }
  }
  return passwords;
}

/** @throws {DomainError} `invalid_request` for what is no password; whatever reading throws. */
async function readPasswordFile(file: string): Promise<string> {
  const kind = irregularity(file);
  if (kind !== undefined) throw new DomainError("invalid_request", `it is ${kind}`);
  const { most } = PASSWORD_BYTES;
  const bytes = await readFileAtMost(most + "\r\n".length, file);
  if (bytes === undefined) {
    throw new DomainError("invalid_request", `The password has more than ${most} bytes`);
  }
  const password = decodeUtf8(bytes).replace(/\r?\n$/, "");
  assertPassword(password);
  return password;
}
