/** The README's programs that verify a token, run with a real one. */

import type { Block } from "../readme/document.ts";
import type { Directory } from "./harness.ts";

/** What the README's programs find there: the token, and what they have to expect. */
export interface Given {
  token: string;
  issuer: string;
  audience: string;
  jwks: string;
}

/** Runs a TypeScript program, and gives the claims that it calls `payload`. */
export async function runTypeScript({ lines }: Block, given: Given, directory: Directory) {
  const isImport = (line: string) => line.startsWith("import ");
  const file = `${directory.path}/verify.ts`;
  await Deno.writeTextFile(
    file,
    [
      ...lines.filter(isImport),
      `export async function verify({ ${Object.keys(given).join(", ")} }) {`,
      ...lines.filter((line) => !isImport(line)),
      "return payload; }",
    ].join("\n"),
  );
  const { verify } = await import(`file://${file}`);
  return await verify(given);
}

/** Runs a Python program, and gives what it calls `claims`. @throws {Error} when it fails. */
export async function runPython({ lines }: Block, given: Given) {
  const values = Object.entries(given).map(([name, value]) => `${name} = ${JSON.stringify(value)}`);
  const program = [...values, ...lines, "import json; print(json.dumps(claims))"].join("\n");
  const { success, stdout, stderr } = await new Deno.Command("python3", {
    args: ["-c", program],
  }).output();
  if (!success) throw new Error(new TextDecoder().decode(stderr));
  return JSON.parse(new TextDecoder().decode(stdout));
}
