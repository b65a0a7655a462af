import { serve } from "./lib/cli/serve.ts";
import { reportFailure } from "./lib/cli/report.ts";
import { loadConfig } from "./lib/config.ts";

try {
  await serve(loadConfig((name) => Deno.env.get(name)));
} catch (error) {
  Deno.exit(reportFailure(error));
}
