/** A console block as a conversation: what is typed, and what comes out. */

import type { Block } from "./document.ts";

export interface Step {
  line: number;
  /** What is typed, with its continuation lines. */
  command: string;
  output: string[];
}

const PROMPT = "$ ";

/**
 * Reads the commands of a console block: each begins with a prompt, goes on while lines end with a
 * backslash or a here-document is open, and its output ends at the next prompt.
 *
 * @throws {Error} when the block does not begin with a command: its lines would be tested by nobody.
 */
export function readTranscript({ line, lines }: Block): Step[] {
  const steps: Step[] = [];
  let isOpen = false;
  for (const [index, text] of lines.entries()) {
    const step = steps.at(-1);
    if (!isOpen && text.startsWith(PROMPT)) {
      steps.push({ line: line + 1 + index, command: text.slice(PROMPT.length), output: [] });
    } else if (step === undefined) {
      throw new Error(`The console block of line ${line} does not begin with a command`);
    } else if (isOpen) step.command += `\n${text}`;
    else step.output.push(text);
    isOpen = isUnfinished(steps.at(-1)!.command);
  }
  for (const { output } of steps) while (output.at(-1) === "") output.pop();
  return steps;
}

function isUnfinished(command: string): boolean {
  const word = /<<'?(\w+)'?/.exec(command)?.[1];
  return command.endsWith("\\") || (word !== undefined && !command.endsWith(`\n${word}`));
}
