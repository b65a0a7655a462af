/** `users …`: the accounts. */

import { Accounts, isDisabled } from "../accounts/accounts.ts";
import { createOperatorHasher, OPERATOR } from "../accounts/operator.ts";
import { assertPassword, PASSWORD_BYTES } from "../accounts/password.ts";
import { Registration } from "../accounts/registration.ts";
import { numericDate, timestamp } from "../base/clock.ts";
import { DomainError } from "../base/errors.ts";
import type { Config } from "../server/config.ts";
import type { Storage, UserRecord } from "../storage/storage.ts";
import { pagesOfUsers } from "../storage/user_pages.ts";
import { printJsonArray, printTable } from "./listing.ts";
import { formatTime, type Output } from "./output.ts";

export interface UsersContext {
  storage: Storage;
  config: Config;
  output: Output;
}

/** A password that the operator chose, and whether it may be a short one. */
export interface ChosenPassword {
  value: string | undefined;
  allowWeak: boolean | undefined;
}

/** Registers a user; prints the password unless it was given. */
export async function addUser(
  context: UsersContext,
  user: { username: string; email: string },
  password: ChosenPassword,
): Promise<void> {
  const result = Registration.safeParse(user);
  if (!result.success) throw new DomainError("usage", result.error.issues[0]!.message);
  checkPassword(context.output, password);
  const used = await accountsOf(context).register(result.data, OPERATOR, password.value);
  printPassword(context.output, `User ${user.username} is registered`, used, password);
}

/** A time as it stands in the database: UTC, in the form `YYYY-MM-DD HH:MM:SS`. */
function shownTime(milliseconds: number | null): string | null {
  return milliseconds === null ? null : timestamp(milliseconds);
}

/** A user as it is shown: nothing secret of it. */
export function shownUser(user: UserRecord) {
  return {
    id: user.id,
    username: user.username,
    email: user.email,
    state: isDisabled(user) ? "disabled" : "enabled",
    date_registered: shownTime(user.dateRegistered),
    last_login: shownTime(user.lastLogin),
  };
}

/** Lists every user, as they are read: there may be more than fit into memory. */
export async function listUsers({ storage, output }: UsersContext, options: { json?: boolean }) {
  const pages = shownPages(storage);
  if (options.json) return await printJsonArray(output, pages);
  await printTable(output, pages, {
    columns: {
      "ID": (row) => String(row.id),
      "USERNAME": (row) => row.username,
      "E-MAIL": (row) => row.email ?? "",
      "STATE": (row) => row.state,
      "REGISTERED": (row) => row.date_registered ?? "unknown",
      "LAST LOGIN": (row) => row.last_login ?? "never",
    },
    empty: "There are no users yet",
  });
}

async function* shownPages(storage: Storage) {
  for await (const users of pagesOfUsers(storage)) yield users.map(shownUser);
}

/** Disables or enables a user. */
export async function setUserDisabled(
  context: UsersContext,
  username: string,
  disabled: boolean,
): Promise<void> {
  await accountsOf(context).setDisabled(username, disabled);
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
  password: ChosenPassword,
): Promise<void> {
  checkPassword(context.output, password);
  const used = await accountsOf(context).resetPassword(username, OPERATOR, password.value);
  printPassword(context.output, `User ${username} has a new password`, used, password);
}

/**
 * Gives a user a second password and prints it; the one before stays valid for `overlap` seconds.
 */
export async function rotatePassword(
  context: UsersContext,
  username: string,
  { overlap = context.config.passwordOverlap }: { overlap?: number },
): Promise<void> {
  const { output } = context;
  const earliestEnd = numericDate(Date.now()) + overlap; // told early rather than late
  const password = await accountsOf(context).rotatePassword(username, overlap, OPERATOR);
  printPassword(output, `User ${username} has a new password`, password, { value: undefined });
  output.print(
    overlap === 0
      ? "The password before is not valid any more"
      : `The password before stays valid until ${formatTime(earliestEnd)}`,
  );
}

/** Deletes a user, for good. */
export async function deleteUser(context: UsersContext, username: string): Promise<void> {
  await accountsOf(context).deleteUser(username);
  context.output.print(
    `User ${username} is deleted: no authentication succeeds from now on, tokens end by themselves, ` +
      "and the name is never given again",
  );
}

/** The accounts, for an operator: nobody else waits for a password to be hashed. */
export function accountsOf({ storage, config, output }: UsersContext): Accounts {
  const hasher = createOperatorHasher(config.argon2);
  return new Accounts({ storage, hasher, clock: Date.now, log: output.log });
}

function printPassword(
  output: Output,
  done: string,
  used: string,
  { value }: Pick<ChosenPassword, "value">,
) {
  output.print(value === undefined ? `${done}. The password, shown only now: ${used}` : done);
}

function checkPassword(output: Output, { value, allowWeak = false }: ChosenPassword): void {
  if (value === undefined) return;
  assertPassword(value, { allowWeak });
  if (new TextEncoder().encode(value).length >= PASSWORD_BYTES.least) return;
  output.log.warn("the password is weak: it can be guessed");
}
