/** Databases and secrets stay out of what is passed on: images and repositories. */

import assert from "node:assert/strict";
import { works } from "../blackbox/skip.ts";
import { exampleOf } from "./examples.ts";

Deno.test("example dockerfile lets nothing into the image's build but what the program is made of", async () => {
  const [, listed] = /^# {3}printf '%s\\n' (.*) > \.dockerignore$/m.exec(
    await exampleOf("dockerfile"),
  )!;
  const [first, ...taken] = listed!.split(" ").map((word) => /^'(.*)'$/.exec(word)![1]!);
  assert.equal(first, "*");
  assert.deepEqual(taken, ["!main.ts", "!lib", "!deno.json", "!deno.lock"]);
  for (const path of taken) await Deno.stat(new URL(`../../${path.slice(1)}`, import.meta.url));
  assert.match(await exampleOf("compose"), /beside the Dockerfile and its \.dockerignore$/m);
});

/** What a working directory may hold that nobody else is to have. */
const PRIVATE = [
  "keys.db",
  "keys.db-wal",
  "keys.db-shm",
  "keys.db.key",
  "keys.db.key.old-0123abcd",
  "keys.db.key.0123456789abcdef.new",
  "not_my_key",
  "not_my_key.old-0123abcd",
  "not_my_key.0123456789abcdef.new",
];

Deno.test({
  name: "git is told to leave databases and secrets alone, those of the examples included",
  ignore: !await works(["git", "rev-parse", "--show-toplevel"], ".gitignore"),
  async fn() {
    const args = ["check-ignore", "--no-index", ...PRIVATE];
    const cwd = new URL("../../", import.meta.url);
    const { stdout } = await new Deno.Command("git", { args, cwd }).output();
    assert.deepEqual(new TextDecoder().decode(stdout).trim().split("\n"), PRIVATE);
  },
});
