/** Variables that are not text. */

import assert from "node:assert/strict";
import { preparedDirectory } from "./commands.ts";
import { Directory } from "./harness.ts";
import { type Outcome, Program } from "./process.ts";

/** Runs a command with variables whose values `printf` makes, in octal. */
function run(directory: Directory, args: string[], variables: Record<string, string>) {
  const exports = Object.entries(variables).map(([name, octal]) =>
    `export ${name}="$(printf '${octal}')"`
  );
  const prelude = exports.join("; ");
  return new Program(args, { cwd: directory.path, env: {}, prelude }).ended;
}

function assertTold({ code, stdout, stderr }: Outcome, name: string, hidden: string): void {
  assert.equal(code, 78);
  assert.equal(stdout, "");
  assert.match(stderr, new RegExp(`${name} is not UTF-8`));
  assert.ok(!stderr.includes(hidden), stderr);
}

Deno.test("a variable that is not UTF-8 is refused by its name, and a secret's value is never told", async () => {
  await using directory = new Directory();
  const value = "tell-nobody-this-secret\\377";
  for (const name of ["NOT_MY_KEY", "DATABASE", "AUDIENCE"]) {
    assertTold(await run(directory, [], { [name]: value, PORT: "0" }), name, "tell-nobody");
  }
  assert.deepEqual(await directory.digests(), {});
});

Deno.test("the same holds for the new secret of rekey", async () => {
  await using directory = await preparedDirectory({});
  const before = await directory.digests();
  const variables = { NEW_NOT_MY_KEY: "tell-nobody-this-secret\\377" };
  assertTold(await run(directory, ["rekey"], variables), "NEW_NOT_MY_KEY", "tell-nobody");
  assert.deepEqual(await directory.digests(), before);
});
