/** What programs need, installed outside of the repository and kept for the next run. */

import { createHash } from "node:crypto";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { say, works } from "../../blackbox/skip.ts";
import type { Command, Installation } from "./library.ts";

/** Stands in the copy of a directory when all of it is installed. */
const INSTALLED = ".installed";

/**
 * The directory in which programs can be started; `undefined`, with the reason printed, when this
 * machine cannot run them.
 *
 * @param what the programs are, in words.
 * @throws {Error} when the installation fails though the registry can be reached.
 */
export async function prepare(
  installation: Installation,
  what: string,
): Promise<string | undefined> {
  const { name, directory, tools, install, build = [], reach } = installation;
  for (const tool of tools) if (!await works(tool, what)) return undefined;
  const copy = join(cacheDirectory(), `${name}-${await digest(installation)}`);
  await Deno.mkdir(copy, { recursive: true });
  using lock = await Deno.open(join(copy, ".lock"), { create: true, write: true });
  await lock.lock(true);
  await copyFiles(fileURLToPath(directory), copy);
  if (!await exists(join(copy, INSTALLED))) {
    const failure = await firstFailure(install, copy);
    if (failure !== undefined) {
      if (await failureOf(reach, copy) === undefined) throw new Error(failure);
      await say(what, `a registry to install them from: ${reach.join(" ")} fails`);
      return undefined;
    }
    await Deno.writeTextFile(join(copy, INSTALLED), "");
  }
  const failure = await firstFailure(build, copy);
  if (failure !== undefined) throw new Error(failure);
  return copy;
}

/** The command with its program found in `directory`. */
export function within(directory: string, [program, ...args]: Command): Command {
  return [program.startsWith("./") ? join(directory, program) : program, ...args];
}

function cacheDirectory(): string {
  const home = Deno.env.get("HOME") ?? Deno.cwd();
  const caches = Deno.env.get("XDG_CACHE_HOME") || join(home, ".cache");
  return join(caches, "jwks-server-clients");
}

/** Tells one content of the files that pin what is installed, and one platform, from another. */
async function digest({ directory, pins, install }: Installation): Promise<string> {
  const hash = createHash("sha256").update(JSON.stringify([Deno.build.target, install]));
  for (const name of pins) hash.update(await Deno.readFile(new URL(name, directory)));
  return hash.digest("hex").slice(0, 16);
}

async function copyFiles(from: string, to: string): Promise<void> {
  for await (const { name, isDirectory } of Deno.readDir(from)) {
    const [source, target] = [join(from, name), join(to, name)];
    if (isDirectory) {
      await Deno.mkdir(target, { recursive: true });
      await copyFiles(source, target);
    } else if (!name.endsWith("_test.ts")) await copyChanged(source, target);
  }
}

/** Leaves a file alone that is the same, so that what is built of it stays built. */
async function copyChanged(source: string, target: string): Promise<void> {
  const text = await Deno.readTextFile(source);
  if (await Deno.readTextFile(target).catch(() => undefined) !== text) {
    await Deno.mkdir(dirname(target), { recursive: true });
    await Deno.writeTextFile(target, text);
  }
}

async function exists(path: string): Promise<boolean> {
  return await Deno.stat(path).then(() => true, () => false);
}

async function firstFailure(
  commands: readonly Command[],
  cwd: string,
): Promise<string | undefined> {
  for (const command of commands) {
    const failure = await failureOf(command, cwd);
    if (failure !== undefined) return failure;
  }
  return undefined;
}

/** What a command said that has failed. */
async function failureOf(command: Command, cwd: string): Promise<string | undefined> {
  const [program, ...args] = within(cwd, command);
  const options = { args, cwd, stdin: "null" } as const;
  const { success, stdout, stderr } = await new Deno.Command(program, options).output();
  if (success) return undefined;
  const text = [stdout, stderr].map((bytes) => new TextDecoder().decode(bytes)).join("");
  return `${command.join(" ")} has failed\n${text}`;
}
