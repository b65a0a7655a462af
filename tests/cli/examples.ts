/** What `example` prints. */

import assert from "node:assert/strict";
import { parseAllDocuments } from "yaml";
import { type Config, loadConfig } from "../../lib/server/config.ts";
import { withWorkplace } from "./workplace.ts";

/** The text of the example of this name. */
export async function exampleOf(name: string): Promise<string> {
  let text = "";
  await withWorkplace(async (workplace) => {
    text = (await workplace.execute(["example", name])).stdout;
  });
  return text;
}

/** The names of the examples that `--help` tells, each with its text. */
export async function allExamples(): Promise<Map<string, string>> {
  const texts = new Map<string, string>();
  await withWorkplace(async (workplace) => {
    const help = await workplace.run(["example", "--help"]);
    const list = /Examples that there are:\n([^]*?)\n\n/.exec(help)![1]!;
    for (const [, name] of list.matchAll(/^ {2}([\w-]+)/gm)) {
      texts.set(name!, (await workplace.execute(["example", name!])).stdout);
    }
  });
  return texts;
}

/** The documents of a YAML file. */
// deno-lint-ignore no-explicit-any -- they are of many forms
export function parseYaml(text: string): any[] {
  const documents = parseAllDocuments(text, { merge: true });
  if (!Array.isArray(documents)) throw new TypeError("There is no document");
  return documents.map((document) => {
    for (const problem of [...document.errors, ...document.warnings]) throw problem;
    return document.toJS();
  });
}

/** The environment in the image of example dockerfile, which an example's own is laid over. */
export async function imageEnvironment(): Promise<Record<string, string>> {
  const lines = [...(await exampleOf("dockerfile")).matchAll(/^ENV (.*)$/gm)];
  const words = lines.flatMap(([, line]) => line!.split(" "));
  return Object.fromEntries(words.map((pair) => pair.split("=", 2)));
}

/** What an example for production keeps from strangers. */
export function assertClosed(config: Config): void {
  const { registration, page, testTokens, policy: { expiredTokens } } = config;
  assert.deepEqual([registration, page, testTokens, expiredTokens], Array(4).fill(false));
}

/** The variables that say something: an empty one takes back what the image says. */
export function saying(env: Readonly<Record<string, string>>): Set<string> {
  return new Set(Object.keys(env).filter((name) => env[name] !== ""));
}

/** The commands in the comment that an example begins with. */
export function usage(text: string): string[] {
  return text.split("\n\n")[0]!.split("\n").filter((line) => line.startsWith("#   "));
}

/** The configuration under an environment in which these variables name files with these texts. */
export async function configOf(
  env: Readonly<Record<string, string>>,
  texts: Readonly<Record<string, string>>,
): Promise<Config> {
  const given = new Map(Object.entries(env));
  const directory = await Deno.makeTempDir();
  try {
    for (const [name, text] of Object.entries(texts)) {
      assert.ok(given.has(name), name);
      given.set(name, `${directory}/${name}`);
      await Deno.writeTextFile(`${directory}/${name}`, `${text}\n`);
    }
    return loadConfig((variable) => given.get(variable));
  } finally {
    await Deno.remove(directory, { recursive: true });
  }
}
