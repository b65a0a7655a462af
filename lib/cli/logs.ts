/** `logs`: the authentication log. */

import type { AuthenticationEntry, Storage } from "../storage/storage.ts";
import type { Output } from "./output.ts";

/** How often `--follow` looks for new entries, in milliseconds. */
const FOLLOW_INTERVAL = 500;

/** Entries read at a time: a log of years must not fill the memory. */
const PAGE = 1000;

export interface LogsOptions {
  user?: string;
  /** Only entries since then, in milliseconds since the epoch. */
  since: number;
  follow?: boolean;
  json?: boolean;
}

/** Prints the log, newest last; with `follow` until the process is stopped. */
export async function showLogs(
  { storage, output }: { storage: Storage; output: Output },
  options: LogsOptions,
): Promise<void> {
  const read = (afterId: number) =>
    storage.readAuthentications({
      afterId,
      since: options.since,
      username: options.user,
      limit: PAGE,
    });
  if (!options.json) output.print(line("TIME (UTC)", "CLIENT", "USER"));
  for (let afterId = 0;;) {
    const entries = await read(afterId);
    for (const entry of entries) output.print(format(entry, options));
    afterId = entries.at(-1)?.id ?? afterId;
    if (entries.length === PAGE) continue;
    if (!options.follow) return;
    await new Promise((resolve) => setTimeout(resolve, FOLLOW_INTERVAL));
  }
}

function format(entry: AuthenticationEntry, { json }: LogsOptions): string {
  if (json) return JSON.stringify(entry);
  return line(entry.timestamp, entry.ip, entry.username ?? "(refused)");
}

/** One width for all lines, however many follow. An IPv6 address has at most 39 characters. */
function line(time: string, client: string, user: string): string {
  return `${time.padEnd(19)}  ${client.padEnd(39)}  ${user}`;
}
