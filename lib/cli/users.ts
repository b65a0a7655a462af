/** `users …`: the accounts. */

import { Accounts, isDisabled } from "../accounts/accounts.ts";
import type { Config } from "../server/config.ts";
import { CommandError, EXIT, RequestError } from "../base/errors.ts";
import { PasswordHasher } from "../accounts/password.ts";
import { Registration } from "../http/request.ts";
import type { Storage } from "../storage/storage.ts";
import { type Output, printRows } from "./output.ts";
import { lowerFirst } from "./words.ts";

/** The shortest password that an operator may choose, in characters. */
const SHORTEST_PASSWORD = 12;

export interface UsersContext {
  storage: Storage;
  config: Config;
  output: Output;
}

/** Registers a user; prints the password unless it was given. */
export async function addUser(
  context: UsersContext,
  user: { username: string; email: string },
  password: string | undefined,
): Promise<void> {
  const result = Registration.safeParse(user);
  if (!result.success) throw new CommandError(EXIT.usage, result.error.issues[0]!.message);
  assertStrong(password);
  const used = await told(() => accountsOf(context).register(result.data, password));
  printPassword(context.output, `User ${user.username} is registered`, used, password);
}

/** Lists every user. */
export async function listUsers({ storage, output }: UsersContext, options: { json?: boolean }) {
  const rows = (await storage.listUsers()).map((user) => ({
    id: user.id,
    username: user.username,
    email: user.email,
    state: isDisabled(user) ? "disabled" : "enabled",
    date_registered: user.dateRegistered,
    last_login: user.lastLogin,
  }));
  printRows(output, rows, {
    json: options.json,
    columns: {
      "ID": (row) => String(row.id),
      "USERNAME": (row) => row.username,
      "E-MAIL": (row) => row.email ?? "",
      "STATE": (row) => row.state,
      "REGISTERED": (row) => row.date_registered,
      "LAST LOGIN": (row) => row.last_login ?? "never",
    },
    empty: "There are no users yet",
  });
}

/** Disables or enables a user. */
export async function setUserDisabled(
  context: UsersContext,
  username: string,
  disabled: boolean,
): Promise<void> {
  await told(() => accountsOf(context).setDisabled(username, disabled));
  context.output.print(
    disabled
      ? `User ${username} is disabled: no authentication succeeds from now on; tokens end by themselves`
      : `User ${username} is enabled, with the password it had`,
  );
}

/** Replaces a password; prints it unless it was given. */
export async function resetPassword(
  context: UsersContext,
  username: string,
  password: string | undefined,
): Promise<void> {
  assertStrong(password);
  const used = await told(() => accountsOf(context).resetPassword(username, password));
  printPassword(context.output, `User ${username} has a new password`, used, password);
}

function accountsOf({ storage, config }: UsersContext): Accounts {
  const hasher = new PasswordHasher(config.argon2, { concurrency: 1, queue: 1 });
  return new Accounts({ storage, hasher, clock: Date.now });
}

function printPassword(output: Output, done: string, used: string, given: string | undefined) {
  output.print(given === undefined ? `${done}. The password, shown only now: ${used}` : done);
}

function assertStrong(password: string | undefined): void {
  if (password === undefined || password.length >= SHORTEST_PASSWORD) return;
  throw new CommandError(EXIT.usage, `the password has fewer than ${SHORTEST_PASSWORD} characters`);
}

/** The domain's refusals, as a command's. */
async function told<Result>(work: () => Promise<Result>): Promise<Result> {
  try {
    return await work();
  } catch (error) {
    if (!(error instanceof RequestError)) throw error;
    const hint = "jwks-server users list shows the users";
    throw new CommandError(EXIT.failed, lowerFirst(error.message), [hint]);
  }
}
