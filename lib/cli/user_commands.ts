/** `users …` on the command line. */

import type { Command } from "commander";
import { example, readPassword } from "./arguments.ts";
import { addUser, listUsers, resetPassword, setUserDisabled, type UsersContext } from "./users.ts";

/** Adds the commands on users; `withUsers` opens the database for one of them. */
export function addUserCommands(
  program: Command,
  withUsers: (run: (context: UsersContext) => Promise<void>) => Promise<void>,
): void {
  const users = program.command("users").description("the accounts");
  const stdin = "read the password from standard input instead of making one";
  users.command("add")
    .description("register a user and print its password")
    .argument("<name>", "the username")
    .requiredOption("--email <address>", "the e-mail address")
    .option("--password-stdin", stdin)
    .addHelpText("after", example("jwks-server users add reporting --email ops@example.com"))
    .action(async (username, { email, passwordStdin }) => {
      const password = await readPassword(passwordStdin);
      await withUsers((context) => addUser(context, { username, email }, password));
    });
  users.command("list")
    .description("every user")
    .option("--json", "print JSON")
    .addHelpText("after", example("jwks-server users list"))
    .action((options) => withUsers((context) => listUsers(context, options)));
  for (const disabled of [true, false]) {
    const name = disabled ? "disable" : "enable";
    users.command(name)
      .description(disabled ? "no authentication of the user succeeds" : "undo disable")
      .argument("<name>", "the username")
      .addHelpText("after", example(`jwks-server users ${name} reporting`))
      .action((user) => withUsers((context) => setUserDisabled(context, user, disabled)));
  }
  users.command("reset-password")
    .description("replace a password and print the new one")
    .argument("<name>", "the username")
    .option("--password-stdin", stdin)
    .addHelpText("after", example("jwks-server users reset-password reporting"))
    .action(async (username, { passwordStdin }) => {
      const password = await readPassword(passwordStdin);
      await withUsers((context) => resetPassword(context, username, password));
    });
}
