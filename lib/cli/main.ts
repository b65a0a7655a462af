/** From the arguments of the process to its exit code. */

import process from "node:process";
import type { StopSignal } from "../server/stop_signal.ts";
import { standardOutput } from "./output.ts";
import { runProgram } from "./program.ts";
import { reportFailure } from "./report.ts";
import { describeVersion } from "./version.ts";

/** Runs the command that the arguments name; what goes wrong is told, and ends the process. */
export async function main(
  args: readonly string[],
  { env, stop }: { env: (name: string) => string | undefined; stop: StopSignal },
): Promise<void> {
  // Deno 2.4 warns of its own HMAC, and ends with that where nobody reads standard error.
  Object.assign(process, { noDeprecation: true });
  const output = standardOutput(env);
  try {
    await runProgram(args, { env, stop, output, version: describeVersion });
  } catch (error) {
    output.progress.clear();
    Deno.exit(reportFailure(error));
  }
}
