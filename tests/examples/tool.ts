/** The programs that check an example. */

import assert from "node:assert/strict";
import { works } from "../blackbox/skip.ts";

/** Whether a program is there; `tests/examples/tools.sh` installs those that no distribution has. */
export function canUse(command: readonly string[], example: string): Promise<boolean> {
  return works(command, `a test of example ${example}`);
}

/** Runs a command that must succeed, and gives all that it says. */
export async function succeed(
  [command, ...args]: readonly string[],
  options: Deno.CommandOptions = {},
): Promise<string> {
  const { success, stdout, stderr } = await new Deno.Command(command!, { ...options, args })
    .output();
  const said = new TextDecoder().decode(stdout) + new TextDecoder().decode(stderr);
  assert.ok(success, `${command} ${args.join(" ")}\n${said}`);
  return said;
}
