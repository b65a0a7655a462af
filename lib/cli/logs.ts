/** `logs`: the authentication log. */

import type { Command } from "commander";
import type { AuthenticationStorage, RowId } from "../storage/storage.ts";
import { durationOption, example } from "./arguments.ts";
import { type CommandContext, withStorage } from "./context.ts";
import type { Output } from "./output.ts";

export function addLogs(program: Command, context: CommandContext): void {
  program.command("logs")
    .description("the authentication log, newest last")
    .option("--user <name>", "only this user's successes")
    .addOption(durationOption("--since <duration>", "only the last while"))
    .option("--follow", "go on with what comes")
    .option("--json", "print a JSON object a line")
    .addHelpText("after", example("jwks-server logs --since 1h --follow"))
    .action(async ({ since, ...options }) => {
      const start = since === undefined ? 0 : Date.now() - since * 1000;
      await withStorage(
        context,
        (storage) => showLogs({ storage, output: context.output }, { ...options, since: start }),
      );
    });
}

/** How often `--follow` looks for new entries, in milliseconds. */
const FOLLOW_INTERVAL = 500;

/** Entries read at a time: a log of years must not fill the memory. */
const PAGE = 1000;

interface LogsOptions {
  user?: string;
  /** Only entries since then, in milliseconds since the epoch. */
  since: number;
  follow?: boolean;
  json?: boolean;
}

/** Prints the log, newest last; with `follow` until the process is stopped. */
async function showLogs(
  { storage, output }: { storage: AuthenticationStorage; output: Output },
  options: LogsOptions,
): Promise<void> {
  const read = (afterId: RowId) =>
    storage.readAuthentications({
      afterId,
      since: options.since,
      username: options.user,
      limit: PAGE,
    });
  if (!options.json) output.print(line("TIME (UTC)", "CLIENT", "USER"));
  for (let afterId: RowId = 0;;) {
    const entries = await read(afterId);
    for (const entry of entries) {
      if (options.json) output.printJson(entry);
      else output.print(line(entry.timestamp, entry.ip, entry.username ?? "(refused)"));
    }
    afterId = entries.at(-1)?.id ?? afterId;
    if (entries.length === PAGE) continue;
    if (!options.follow) return;
    await new Promise((resolve) => setTimeout(resolve, FOLLOW_INTERVAL));
  }
}

/** One width for all lines, however many follow. An IPv6 address has at most 39 characters. */
function line(time: string, client: string, user: string): string {
  return `${time.padEnd(19)}  ${client.padEnd(39)}  ${user}`;
}
