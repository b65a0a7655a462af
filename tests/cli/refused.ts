/** Commands that must fail, run in this process. */

import { exitCodeOf } from "../../lib/cli/report.ts";
import { assertRefusal } from "../blackbox/commands.ts";
import type { Environment, Workplace } from "./workplace.ts";

/** Runs a command that must fail with `code`, in words for an operator and nothing else; gives them. */
export async function refused(
  workplace: Workplace,
  args: readonly string[],
  { code, reason, env = {} }: { code: number; reason: RegExp; env?: Environment },
): Promise<string> {
  const { error, stdout, stderr } = await workplace.execute(args, env);
  assertRefusal(
    { code: error === undefined ? 0 : exitCodeOf(error), stdout, stderr },
    code,
    reason,
  );
  return stderr;
}
