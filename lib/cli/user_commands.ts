/** `users …` on the command line. */

import type { Command } from "commander";
import { durationOption, example, readPassword } from "./arguments.ts";
import { addClientCommands } from "./client_commands.ts";
import { type CommandContext, withStorage } from "./context.ts";
import {
  addUser,
  deleteUser,
  listUsers,
  resetPassword,
  rotatePassword,
  setUserDisabled,
  type UsersContext,
} from "./users.ts";

/** Adds the commands on users. */
export function addUserCommands(program: Command, context: CommandContext): void {
  const withUsers = (run: (users: UsersContext) => Promise<void>) =>
    withStorage(context, (storage, config) => run({ storage, config, output: context.output }));
  const users = program.command("users").description("the accounts");
  users.command("add")
    .description("register a user and print its password")
    .argument("<name>", "the username")
    .requiredOption("--email <address>", "the e-mail address")
    .option(...PASSWORD_STDIN)
    .option(...ALLOW_WEAK)
    .addHelpText("after", example("jwks-server users add reporting --email ops@example.com"))
    .action(async (username, { email, passwordStdin, allowWeak }) => {
      const value = await readPassword(passwordStdin);
      await withUsers((users) => addUser(users, { username, email }, { value, allowWeak }));
    });
  users.command("list")
    .description("every user")
    .option("--json", "print JSON")
    .addHelpText("after", example("jwks-server users list"))
    .action((options) => withUsers((users) => listUsers(users, options)));
  for (const disabled of [true, false]) {
    const name = disabled ? "disable" : "enable";
    users.command(name)
      .description(disabled ? "no authentication of the user succeeds" : "undo disable")
      .argument("<name>", "the username")
      .addHelpText("after", example(`jwks-server users ${name} reporting`))
      .action((user) => withUsers((users) => setUserDisabled(users, user, disabled)));
  }
  users.command("reset-password")
    .description("replace a password and print the new one")
    .argument("<name>", "the username")
    .option(...PASSWORD_STDIN)
    .option(...ALLOW_WEAK)
    .addHelpText("after", example("jwks-server users reset-password reporting"))
    .action(async (username, { passwordStdin, allowWeak }) => {
      const value = await readPassword(passwordStdin);
      await withUsers((users) => resetPassword(users, username, { value, allowWeak }));
    });
  users.command("rotate-password")
    .description("print a second password; the one before stays valid for a while")
    .argument("<name>", "the username")
    .addOption(durationOption("--overlap <duration>", "for how long, if not PASSWORD_OVERLAP"))
    .addHelpText("after", example("jwks-server users rotate-password reporting --overlap 7d"))
    .action((username, options) => withUsers((users) => rotatePassword(users, username, options)));
  users.command("delete")
    .description("delete a user for good: its name is never given again")
    .argument("<name>", "the username")
    .addHelpText("after", example("jwks-server users delete reporting"))
    .action((username) => withUsers((users) => deleteUser(users, username)));
  addClientCommands(users, withUsers);
}

const PASSWORD_STDIN = [
  "--password-stdin",
  "read the password from standard input instead of making one; 16 to 1024 bytes",
] as const;

const ALLOW_WEAK = ["--allow-weak", "take a shorter password from standard input, too"] as const;
