/**
 * `completion`: scripts with which shells complete commands, options and their values. They are made
 * from the commands, once: a library that asks the program at each press of a key would start it as
 * often, and read the environment for it.
 */

import { Argument, type Command } from "commander";
import { example } from "./arguments.ts";
import { bashCompletion } from "./completions/bash.ts";
import { fishCompletion } from "./completions/fish.ts";
import { type CompletableCommand, completableCommands } from "./completions/tree.ts";
import { zshCompletion } from "./completions/zsh.ts";
import type { CommandContext } from "./context.ts";

const SHELLS: Record<string, (tree: readonly CompletableCommand[]) => string> = {
  bash: bashCompletion,
  zsh: zshCompletion,
  fish: fishCompletion,
};

export function addCompletion(program: Command, { output }: CommandContext): void {
  program.command("completion")
    .description("print a script with which a shell completes the command line")
    .addArgument(new Argument("<shell>", "the shell").choices(Object.keys(SHELLS)))
    .addHelpText("after", example("source <(jwks-server completion bash)"))
    .action((shell: string) => {
      output.printFile(`${SHELLS[shell]!(completableCommands(program))}\n`);
    });
}
