/** What commands take and how they are shown: shared by their declarations. */

import { InvalidArgumentError, Option } from "commander";
import { parseDuration } from "../base/duration.ts";
import { CommandError, EXIT } from "../base/errors.ts";
import { createLog, type Log } from "../base/log.ts";

/** The longest duration a command takes, in seconds: a hundred years. */
const LONGEST = 100 * 365 * 86_400;

/** The example under a command's help. */
export function example(command: string): string {
  return `\nExample:\n  $ ${command}`;
}

/** An option that is a duration; its value is in seconds. */
export function durationOption(flags: string, description: string, fallback?: string): Option {
  const option = new Option(flags, `${description}, such as 45s, 10m, 24h, 30d or 1y`)
    .argParser((text: string) => {
      const seconds = parseDuration(text);
      if (seconds === undefined || seconds === 0 || seconds > LONGEST) {
        throw new InvalidArgumentError("It must be a duration such as 45s, 10m, 24h, 30d or 1y.");
      }
      return seconds;
    });
  return fallback === undefined ? option : option.default(parseDuration(fallback), fallback);
}

/** The text of a file that was named on the command line. */
export async function readInput(file: string): Promise<string> {
  try {
    return await Deno.readTextFile(file);
  } catch (error) {
    throw new CommandError(EXIT.failed, `${file} cannot be read`, [], { cause: error });
  }
}

/** The password on standard input, or `undefined` when none is to be read. */
export async function readPassword(fromStdin: boolean | undefined): Promise<string | undefined> {
  if (!fromStdin) return undefined;
  return (await new Response(Deno.stdin.readable).text()).replace(/\r?\n$/, "");
}

/** A command says only what matters, on standard error, where it does not mix with its output. */
export function warnings(): Log {
  const encoder = new TextEncoder();
  return createLog("warn", (line) => void Deno.stderr.writeSync(encoder.encode(`${line}\n`)));
}
