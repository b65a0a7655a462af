import { standardOutput } from "./lib/cli/output.ts";
import { runProgram } from "./lib/cli/program.ts";
import { reportFailure } from "./lib/cli/report.ts";
import { describeVersion } from "./lib/cli/version.ts";

try {
  await runProgram(Deno.args, {
    env: (name) => Deno.env.get(name),
    output: standardOutput(),
    version: describeVersion,
  });
} catch (error) {
  Deno.exit(reportFailure(error));
}
