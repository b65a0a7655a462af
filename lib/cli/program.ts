/** The command line: which commands there are, what they take, and what their help says. */

import { Command, CommanderError } from "commander";
import { loadConfig } from "../server/config.ts";
import { CommandError, EXIT } from "../base/errors.ts";
import { example, warnings } from "./arguments.ts";
import { addDatabaseCommands } from "./database_commands.ts";
import { addKeyCommands } from "./key_commands.ts";
import { openExistingKeys, openExistingStorage } from "../server/open.ts";
import type { Output } from "./output.ts";
import { serve } from "../server/serve.ts";
import { addUserCommands } from "./user_commands.ts";

/** What the command line is given by the process. */
export interface ProgramParts {
  /** Reads an environment variable. */
  env: (name: string) => string | undefined;
  output: Output;
  /** Tells what `--version` prints. */
  version: () => string;
}

/**
 * Runs the command that `args` name, `serve` when they name none.
 *
 * @throws {CommandError} when it fails, with the exit code to end with.
 */
export async function runProgram(args: readonly string[], parts: ProgramParts): Promise<void> {
  try {
    await createProgram(parts).parseAsync(args, { from: "user" });
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    if (error.exitCode === 0) return;
    if (error.code === "commander.help") throw new CommandError(EXIT.usage, "no command is named");
    // What is no command counts as an argument of the default one.
    const isUnknown = error.code === "commander.excessArguments" &&
      /^error: too many arguments for 'serve'/.test(error.message) && args[0] !== "serve";
    const message = isUnknown ? `unknown command '${args[0]}'` : error.message;
    throw new CommandError(EXIT.usage, message.replace(/^error: /, ""), [
      "jwks-server --help shows the commands",
    ]);
  }
}

function createProgram(parts: ProgramParts): Command {
  const { output } = parts;
  const config = () => loadConfig(parts.env);
  const program = new Command("jwks-server")
    .description("Registers clients, checks their passwords, signs JWTs and publishes the keys.")
    .option("-V, --version", "print the versions of jwks-server and its runtime")
    .on("option:version", () => {
      output.print(parts.version());
      throw new CommanderError(0, "version", "");
    })
    .exitOverride()
    .configureOutput({
      writeOut: (text) => output.print(text.trimEnd()),
      outputError: () => {}, // reported once, by the caller, in this program's own form
      getOutHasColors: () => false, // commander would ask the environment
      getErrHasColors: () => false,
    })
    .addHelpText(
      "after",
      "\nEnvironment variables configure every command: DATABASE, NOT_MY_KEY, PORT, …\n" +
        "Exit codes: 0 done, 1 failed, 2 usage, 78 configuration or secret.\n" +
        '\nExample:\n  $ NOT_MY_KEY="$(cat secret)" jwks-server serve',
    );
  program.command("serve", { isDefault: true })
    .description("start the server (also without any command)")
    .addHelpText("after", example("PORT=9000 jwks-server serve"))
    .action(() => serve(config()));
  addKeyCommands(program, async (run) => {
    const keys = await openExistingKeys(config(), warnings());
    await run({ keys, output }).finally(() => keys.storage.close());
  });
  addUserCommands(program, async (run) => {
    const known = config();
    const storage = await openExistingStorage(known);
    await run({ storage, config: known, output }).finally(() => storage.close());
  });
  addDatabaseCommands(program, parts, config);
  return program;
}
