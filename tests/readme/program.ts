/** The command line, as the README may write it. */

import type { Command } from "commander";
import { createProgram, type ProgramParts } from "../../lib/cli/program.ts";

/** Every command; none can be run, for none has what it would work with. */
const PROGRAM = createProgram({} as ProgramParts);

/** The names of all commands, those of a group with the group before them. */
export function commandNames(): string[] {
  return leaves(PROGRAM).map(nameOf);
}

/** What is wrong with the words after `jwks-server`; `undefined` when the program takes them. */
export function findMistake(words: readonly string[]): string | undefined {
  let command = PROGRAM;
  let rest = words;
  for (;;) {
    const next = command.commands.find((one) => one.name() === rest[0]);
    if (next === undefined) break;
    [command, rest] = [next, rest.slice(1)];
  }
  if (command.commands.length > 0) return `no command: ${words.join(" ")}`;
  const { operands, unknown } = command.parseOptions([...rest]);
  if (unknown.length > 0) return `no option of ${nameOf(command)}: ${unknown.join(" ")}`;
  const required = command.registeredArguments.filter((argument) => argument.required).length;
  const isFitting = operands.length >= required &&
    operands.length <= command.registeredArguments.length;
  return isFitting ? undefined : `not the arguments of ${nameOf(command)}: ${operands.join(" ")}`;
}

function leaves(command: Command): Command[] {
  return command.commands.length === 0 ? [command] : command.commands.flatMap(leaves);
}

function nameOf(command: Command): string {
  const { parent } = command;
  return parent?.parent ? `${nameOf(parent)} ${command.name()}` : command.name();
}
