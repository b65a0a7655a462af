/** What `example` prints. */

import { parseAllDocuments } from "yaml";
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
  const documents = parseAllDocuments(text);
  if (!Array.isArray(documents)) throw new TypeError("There is no document");
  return documents.map((document) => {
    for (const problem of [...document.errors, ...document.warnings]) throw problem;
    return document.toJS();
  });
}
