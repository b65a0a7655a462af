/** What commands take and how they are shown: shared by their declarations. */

import { type Command, InvalidArgumentError, Option } from "commander";
import { decodeUtf8, readAtMost } from "../base/bytes.ts";
import { readFileAtMost } from "../base/disk.ts";
import { parseDuration } from "../base/duration.ts";
import { DomainError } from "../base/errors.ts";

/** The longest duration a command takes, in seconds: a hundred years. */
const LONGEST = 100 * 365 * 86_400;

/** How much is read of what holds a key or a password, in bytes. */
const INPUT_LIMIT = 65_536;

/** The example under a command's help, or several. */
export function example(...commands: string[]): string {
  return `\nExample:${commands.map((command) => `\n  $ ${command}`).join("")}`;
}

/** What is to be known under a command's help, in lines. */
export function notes(...lines: string[]): string {
  return `\n${lines.join("\n")}`;
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

/** An option that is a number of things, at least one. */
export function countOption(flags: string, description: string): Option {
  return new Option(flags, description).argParser((text: string) => {
    const count = /^\d{1,9}$/.test(text) ? Number(text) : 0;
    if (count === 0) throw new InvalidArgumentError("It must be a whole number from 1 on.");
    return count;
  });
}

/** The text of a file that was named on the command line. @throws {DomainError} `failed`. */
export async function readInput(file: string): Promise<string> {
  let bytes: Uint8Array | undefined;
  try {
    bytes = await readFileAtMost(INPUT_LIMIT, file);
  } catch (cause) {
    throw new DomainError("failed", `The file ${file} cannot be read`, { cause });
  }
  return toText(bytes, `The file ${file}`);
}

/**
 * The password on standard input, without a line break at its end; `undefined` when none is to be
 * read. @throws {DomainError} `failed` when it is not UTF-8, or too long to be one.
 */
export async function readPassword(fromStdin: boolean | undefined): Promise<string | undefined> {
  if (!fromStdin) return undefined;
  const bytes = await readAtMost(INPUT_LIMIT, Deno.stdin.readable);
  return toText(bytes, "The password on standard input").replace(/\r?\n$/, "");
}

function toText(bytes: Uint8Array | undefined, what: string): string {
  if (bytes === undefined) {
    throw new DomainError("failed", `${what} has more than ${INPUT_LIMIT} bytes`);
  }
  try {
    return decodeUtf8(bytes);
  } catch {
    throw new DomainError("failed", `${what} is not UTF-8`);
  }
}

/** A kid may begin with `-`: what looks like an option and is none is taken for the argument. */
export function takingAnyKid(command: Command): Command {
  return command.helpOption("--help", "display help for command").allowUnknownOption();
}
