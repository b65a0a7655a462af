import { StopSignal } from "./lib/server/stop_signal.ts";

// Before all that takes time to load: process 1 of a container loses a signal nobody waits for.
const stop = new StopSignal();
const { main } = await import("./lib/cli/main.ts").catch(async (error) => {
  const { reportLoadFailure } = await import("./lib/cli/load_failure.ts");
  Deno.exit(reportLoadFailure(error));
});
await main(Deno.args, { env: (name) => Deno.env.get(name), stop });
