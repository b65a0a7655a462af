/**
 * Tools of others that judge the server, in pinned versions. Each is installed once, outside of the
 * repository, by the client of its registry.
 */

import { say } from "../blackbox/skip.ts";

const PINNED = {
  npm: { redocly: "@redocly/cli@2.77.0", spectral: "@stoplight/spectral-cli@6.16.3" },
  pip: { schemathesis: "schemathesis==4.32.5", httplint: "httplint==2026.10.4" },
} as const;

export type NpmTool = keyof typeof PINNED.npm;
export type PipTool = keyof typeof PINNED.pip;

/** What a tool has said, and whether it was content. */
export interface Verdict {
  isContent: boolean;
  said: string;
}

/** The command of a tool of npm; `undefined`, which is told, where it cannot be had. */
export async function npmTool(name: NpmTool): Promise<string | undefined> {
  const tool = PINNED.npm[name];
  const place = `${cache()}/${tool.replaceAll("/", "-")}`;
  const command = `${place}/node_modules/.bin/${name}`;
  const install = ["npm", "install", "--prefix", place, "--no-audit", "--no-fund", tool];
  return await installed(tool, command, [install]);
}

/** The Python in which a tool of PyPI can be imported; `undefined`, which is told, where there is none. */
export async function pythonWith(name: PipTool): Promise<string | undefined> {
  const tool = PINNED.pip[name];
  const place = `${cache()}/${tool}`;
  const python = `${place}/bin/python`;
  const steps = [["python3", "-m", "venv", place], [python, "-m", "pip", "install", tool]];
  return await installed(tool, python, steps);
}

/** Runs a tool to its end. */
export async function run(
  [command, ...args]: readonly string[],
  { stdin, ...options }: { stdin?: string; cwd?: string; env?: Record<string, string> } = {},
): Promise<Verdict> {
  const process = new Deno.Command(command!, {
    ...options,
    args,
    stdin: stdin === undefined ? "null" : "piped",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  if (stdin !== undefined) await new Blob([stdin]).stream().pipeTo(process.stdin);
  const { success, stdout, stderr } = await process.output();
  return { isContent: success, said: [stdout, stderr].map(decode).join("") };
}

/** Installs a tool unless that was done before, and gives its command. */
async function installed(
  tool: string,
  command: string,
  steps: readonly (readonly string[])[],
): Promise<string | undefined> {
  const mark = `${command}.installed`;
  if (await exists(mark)) return command;
  for (const step of steps) {
    const { isContent } = await run(step).catch(() => ({ isContent: false }));
    if (isContent) continue;
    await say(tool, step.join(" "));
    return undefined;
  }
  await Deno.writeTextFile(mark, "");
  return command;
}

function cache(): string {
  const { XDG_CACHE_HOME, HOME, TMPDIR = "/tmp" } = Deno.env.toObject();
  return `${XDG_CACHE_HOME ?? (HOME ? `${HOME}/.cache` : TMPDIR)}/jwks-server-contract`;
}

async function exists(path: string): Promise<boolean> {
  return await Deno.stat(path).then(() => true, () => false);
}

function decode(bytes: Uint8Array): string {
  return new TextDecoder().decode(bytes);
}
