/** `logs`: the authentication log. */

import type { Command } from "commander";
import { timestamp } from "../base/clock.ts";
import { printableJson } from "../base/text.ts";
import type {
  AuthenticationEntry,
  AuthenticationQuery,
  AuthenticationStorage,
  RowId,
} from "../storage/storage.ts";
import { countOption, durationOption, example } from "./arguments.ts";
import { type CommandContext, withStorage } from "./context.ts";
import { followedEntries } from "./followed_entries.ts";
import { type Pages, printPages } from "./listing.ts";
import type { Output } from "./output.ts";

export function addLogs(program: Command, context: CommandContext): void {
  program.command("logs")
    .description(`the last ${USUAL} entries of the authentication log, newest last`)
    .option("--user <name>", "only this user's successes")
    .addOption(durationOption("--since <duration>", "all of the last while"))
    .addOption(countOption("--limit <count>", "the last so many").conflicts("all"))
    .option("--all", "all there are")
    .option("--follow", "go on with what comes")
    .option("--json", "print a JSON object a line")
    .addHelpText("after", example("jwks-server logs --since 1h --follow"))
    .action(async ({ since, ...options }) => {
      const start = since === undefined ? undefined : Date.now() - since * 1000;
      await withStorage(
        context,
        (storage) => showLogs({ storage, output: context.output }, { ...options, since: start }),
      );
    });
}

/** How often `--follow` looks for new entries, in milliseconds. */
const FOLLOW_INTERVAL = 500;

/** Entries read at a time: a log of years must not fill the memory. */
const PAGE = 100;

/** Entries shown when nothing is said of how many. */
const USUAL = 100;

interface LogsOptions {
  user?: string;
  /** Only entries since then, in milliseconds since the epoch. */
  since: number | undefined;
  limit?: number;
  all?: boolean;
  follow?: boolean;
  json?: boolean;
}

/** Prints the log, newest last; with `follow` until the process is stopped. */
async function showLogs(
  { storage, output }: { storage: AuthenticationStorage; output: Output },
  options: LogsOptions,
): Promise<void> {
  const { json, follow, all, since, limit } = options;
  const isUsual = !all && since === undefined && limit === undefined;
  const pages = readLogs(storage, options, isUsual ? USUAL : limit);
  // Of a few, and of what goes on, the end is what is wanted.
  const screen = json || follow || isUsual ? undefined : output.screen;
  await printPages(output, json ? jsonLines(pages) : tableLines(pages), screen);
}

/** The entries asked for, a page at a time; with `follow` without an end. */
async function* readLogs(
  storage: AuthenticationStorage,
  { user: username, since = 0, follow }: LogsOptions,
  last: number | undefined,
): Pages<AuthenticationEntry> {
  const start = await storage.seekAuthentications({ since, username, last });
  const read = (afterId: RowId) => pagesOf(storage, { afterId, since, username, limit: PAGE });
  const wait = () => new Promise<void>((resolve) => setTimeout(resolve, FOLLOW_INTERVAL));
  yield* follow
    ? followedEntries(start, { read, wait, now: () => performance.now() })
    : read(start);
}

/** All entries that there are, from those that `query` asks for on. */
async function* pagesOf(
  storage: AuthenticationStorage,
  query: AuthenticationQuery,
): Pages<AuthenticationEntry> {
  for (let afterId = query.afterId;;) {
    const entries = await storage.readAuthentications({ ...query, afterId });
    yield entries;
    if (entries.length < query.limit) return;
    afterId = entries.at(-1)!.id;
  }
}

async function* jsonLines(pages: Pages<AuthenticationEntry>): Pages<string> {
  for await (const entries of pages) {
    yield entries.map((entry) => {
      const { id, ip, username } = entry;
      return printableJson({ id, ip, timestamp: timeOf(entry), username });
    });
  }
}

async function* tableLines(pages: Pages<AuthenticationEntry>): Pages<string> {
  yield [line("TIME (UTC)", "CLIENT", "USER")];
  for await (const entries of pages) {
    yield entries.map((entry) => line(timeOf(entry), entry.ip, entry.username ?? "(refused)"));
  }
}

/** The time as it stands in the log: UTC, or what another program has written there. */
function timeOf({ at, oddTime }: AuthenticationEntry): string {
  return at === null ? String(oddTime) : timestamp(at);
}

/** One width for all lines, however many follow. An IPv6 address has at most 39 characters. */
function line(time: string, client: string, user: string): string {
  return `${time.padEnd(19)}  ${client.padEnd(39)}  ${user}`;
}
