/** What the command line takes, as shells complete it: read from the commands themselves. */

import type { Argument, Command, Option } from "commander";

/** What may stand for a value: one of some words, a path, or what only the user knows. */
export type Values = readonly string[] | "file" | "directory" | "other";

export interface CompletableOption {
  /** `-V` and `--version`. */
  flags: readonly string[];
  description: string;
  /** Its value, if it takes one. */
  value: Values | undefined;
}

export interface CompletableCommand {
  /** The words that lead to it, each after a slash: `/keys/export`; empty for the program. */
  place: string;
  commands: readonly { name: string; description: string }[];
  options: readonly CompletableOption[];
  /** Its arguments in their order, by the names that its help gives them. */
  arguments: readonly { name: string; values: Values }[];
}

/** The program and every command below it. */
export function completableCommands(command: Command, place = ""): CompletableCommand[] {
  const help = command.createHelp();
  const commands = help.visibleCommands(command);
  return [
    {
      place,
      commands: commands.map((own) => ({ name: own.name(), description: own.description() })),
      options: help.visibleOptions(command).map(toCompletable),
      arguments: command.registeredArguments.map((own) => ({
        name: own.name(),
        values: valuesOf(own, own.name()),
      })),
    },
    ...commands.flatMap((own) => completableCommands(own, `${place}/${own.name()}`)),
  ];
}

function toCompletable(option: Option): CompletableOption {
  const { short, long, description, flags, required, optional } = option;
  const [, name = ""] = /[<[]([^>\]]+)[>\]]/.exec(flags) ?? [];
  return {
    flags: [short, long].filter((flag) => flag !== undefined),
    description,
    value: required || optional ? valuesOf(option, name) : undefined,
  };
}

/** The name of a value tells whether it is a path. */
function valuesOf({ argChoices }: Argument | Option, name: string): Values {
  if (argChoices !== undefined) return argChoices;
  return name === "file" || name === "directory" ? name : "other";
}

/** Every step from a command to one below it, as `place name`. */
export function stepsOf(tree: readonly CompletableCommand[]): string[] {
  return tree.flatMap(({ place, commands }) => commands.map(({ name }) => `${place} ${name}`));
}

/** Every option that takes a value, as `place --option`. */
export function valuedOptions(tree: readonly CompletableCommand[]): string[] {
  return tree.flatMap(({ place, options }) =>
    options.filter(({ value }) => value !== undefined)
      .flatMap(({ flags }) => flags.map((flag) => `${place} ${flag}`))
  );
}

/** A text in single quotes, as the shells of the Bourne family read it. */
export function quoted(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`;
}
