/**
 * The command line: which commands there are, what they take, and what their help says. This room
 * reads arguments and prints; it imports every other room, and none imports it.
 */

import { Command, CommanderError, Help, type Option } from "commander";
import { DomainError } from "../base/errors.ts";
import { serve } from "../server/serve.ts";
import type { StopSignal } from "../server/stop_signal.ts";
import { example } from "./arguments.ts";
import { addApply } from "./apply.ts";
import { addBackup } from "./backup.ts";
import { addCompletion } from "./completion.ts";
import { type CommandContext, configOf } from "./context.ts";
import { addCopy } from "./copy.ts";
import { addDoctor } from "./doctor.ts";
import { addExample } from "./example.ts";
import { addHealthcheck } from "./healthcheck.ts";
import { addInit } from "./init.ts";
import { addKeyCommands } from "./key_commands.ts";
import { chooseLogFormat } from "./log_format.ts";
import { addLogs } from "./logs.ts";
import { addMigrate } from "./migrate.ts";
import { addRekey } from "./rekey.ts";
import { addUserCommands } from "./user_commands.ts";

/** What the command line is given by the process. */
export interface ProgramParts extends CommandContext {
  /** The signals that end the server; every other command gives them back their usual effect. */
  stop: StopSignal;
  /** Tells what `--version` prints. */
  version: () => string;
}

/**
 * Runs the command that `args` name, `serve` when they name none.
 *
 * @throws {DomainError} when it fails; `report` gives each its exit code.
 */
export async function runProgram(args: readonly string[], parts: ProgramParts): Promise<void> {
  const program = createProgram(parts);
  try {
    await program.parseAsync(args, { from: "user" });
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    if (error.exitCode === 0) return;
    if (error.code === "commander.help") throw new DomainError("usage", "No command is named");
    // What is no command counts as an argument of the default one.
    const isUnknown = error.code === "commander.excessArguments" &&
      /^error: too many arguments for 'serve'/.test(error.message) && args[0] !== "serve";
    const message = isUnknown ? `unknown command '${args[0]}'` : error.message;
    throw new DomainError("usage", message.replace(/^error: /, ""), {
      hints: [helpHint(program, args)],
    });
  }
}

/** Whose help says what is allowed: the help of the command that the first words lead to. */
function helpHint(program: Command, args: readonly string[]): string {
  const words = [program.name()];
  let { commands } = program;
  for (const word of args) {
    const command = commands.find((candidate) => candidate.name() === word);
    if (command === undefined) break;
    words.push(word);
    ({ commands } = command);
  }
  const shown = commands.length > 0 ? "the commands" : "what it takes";
  return `${words.join(" ")} --help shows ${shown}`;
}

/** As commander describes an option, and whether a command does nothing without it. */
function describeOption(option: Option): string {
  const description = new Help().optionDescription(option);
  return option.mandatory ? `${description} (required)` : description;
}

/** The commands, with what each takes. */
export function createProgram(parts: ProgramParts): Command {
  const { output, stop } = parts;
  const program = new Command("jwks-server")
    .description("Registers clients, checks their passwords, signs JWTs and publishes the keys.")
    .option("-V, --version", "print the versions of jwks-server and its runtime")
    .on("option:version", () => {
      output.print(parts.version());
      throw new CommanderError(0, "version", "");
    })
    .exitOverride()
    .configureHelp({ optionDescription: describeOption })
    .configureOutput({
      writeOut: (text) => text.trimEnd().split("\n").forEach((line) => output.print(line)),
      outputError: () => {}, // reported once, by the caller, in this program's own form
      getOutHasColors: () => false, // commander would ask the environment
      getErrHasColors: () => false,
    })
    .hook("preAction", (_, command) => {
      if (command.name() !== "serve") stop.release();
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
    .action(() => {
      const config = configOf(parts);
      return serve(config, stop, chooseLogFormat(config.logFormat, output.stderr));
    });
  addInit(program, parts);
  addMigrate(program, parts);
  addKeyCommands(program, parts);
  addUserCommands(program, parts);
  addApply(program, parts);
  addRekey(program, parts);
  addLogs(program, parts);
  addBackup(program, parts);
  addCopy(program, parts);
  addDoctor(program, parts);
  addHealthcheck(program, parts);
  addExample(program, parts);
  addCompletion(program, parts);
  return program;
}
