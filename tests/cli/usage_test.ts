import assert from "node:assert/strict";
import { COMMANDS, nameOf } from "./command_lines.ts";
import { withWorkplace } from "./workplace.ts";

/** Settings with which no server would start. */
const BROKEN = { PORT: "none", NOT_MY_KEY: "short" };

Deno.test("every command with --help shows the usage and an example, whatever is set", async () => {
  await withWorkplace(async (workplace) => {
    for (const name of COMMANDS.map(nameOf)) {
      const help = await workplace.run([...name, "--help"], BROKEN);
      assert.match(help, new RegExp(`^Usage: jwks-server ${name.join(" ")} `));
      assert.match(help, new RegExp(`^Example:\n  \\$ .*jwks-server ${name.join(" ")}`, "m"));
    }
  });
});
