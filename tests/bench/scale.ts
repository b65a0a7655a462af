/** What a million users and ten million log rows cost, against a thousand and ten thousand. */

import { Maintenance } from "../../lib/server/maintenance.ts";
import type { KeyRing } from "../../lib/keys/key_ring.ts";
import { SqliteDatabase } from "../../lib/storage/sqlite/database.ts";
import { examineDatabase } from "../../lib/storage/sqlite/examination.ts";
import type { UserRecord } from "../../lib/storage/storage.ts";
import { Client } from "../blackbox/client.ts";
import { type Directory, eventually, freePort, Server, UNLIMITED } from "../blackbox/harness.ts";
import { memory, MIB } from "../blackbox/memory.ts";
import { Program } from "../blackbox/process.ts";
import { openStorage, recordingLog, wrapStorage } from "../support.ts";
import { lackOfSpace, makeLarge, PASSWORD, usernameOf } from "./large_database.ts";
import type { Row, Unmeasured } from "./row.ts";
import { duration, inTurns, median, quantile } from "./statistics.ts";

const LARGE = { users: 1_000_000, rows: 10_000_000 };
const SMALL = { users: 1000, rows: 10_000 };
const SIZES = "1,000,000 users and 10,000,000 log rows, against 1,000 and 10,000";

const OPENINGS = 25;
const STARTS = 9;
const LOGINS = 600;
const COMMANDS = 9;

/** Rounds of the purge, of a second each. */
const PURGES = 10;

/** Logins in a second in which the purge goes on. */
const LOGIN_RATE = 1000;

/** The databases are made once: that takes most of the time. */
export async function measureScale(): Promise<(Row | Unmeasured)[]> {
  const reason = await lackOfSpace();
  if (reason !== undefined) return [{ what: `With ${SIZES}`, reason, isFailure: false }];
  await using large = await makeLarge(LARGE);
  await using small = await makeLarge(SMALL);
  return [
    await compareOpenings(large, small),
    await compareStarts(large, small),
    await compareLogins(large, small),
    await compareRecords(large, small),
    await measureListing(large, ["users", "list"]),
    await measureListing(large, ["logs", "--limit", "1000000"]),
    await compareCommands(large, small, ["logs", "--user", usernameOf(7)]),
    await compareCommands(large, small, ["logs"]),
    ...await measurePurgeBehind(large),
  ];
}

/** What a server does with the database before anything else, in milliseconds. */
async function compareOpenings(large: Directory, small: Directory): Promise<Row> {
  const opening = ({ database: path }: Directory) =>
    duration(() => SqliteDatabase.open(examineDatabase(path, { withUsers: true })).close());
  const [ours, theirs] = await inTurns(OPENINGS, () => opening(large), () => opening(small));
  return {
    what: `Opening a database with ${SIZES}`,
    unit: "ms",
    measured: median(ours),
    baseline: median(theirs),
    goal: ["at most", 1.2],
  };
}

/** Milliseconds from the start of a process to the first JWK set. */
async function compareStarts(large: Directory, small: Directory): Promise<Row> {
  const start = async ({ path: cwd }: Directory) => {
    const port = freePort();
    const client = new Client(`http://127.0.0.1:${port}`);
    let program: Program | undefined;
    const elapsed = await duration(async () => {
      program = new Program([], { cwd, env: { PORT: String(port) } });
      await eventually("a JWK set", async () => {
        const status = await client.jwks().then(({ status }) => status, () => undefined);
        return status === 200 ? true : undefined;
      }, { every: 5 });
    });
    program!.signal("SIGTERM");
    await program!.ended;
    return elapsed;
  };
  const [ours, theirs] = await inTurns(STARTS, () => start(large), () => start(small));
  return {
    what: `Start with ${SIZES}`,
    unit: "ms",
    measured: median(ours),
    baseline: median(theirs),
    goal: ["at most", 1.2],
  };
}

/** Milliseconds for a login whose hash is cheap, so that what the database does can be seen. */
async function compareLogins(large: Directory, small: Directory): Promise<Row> {
  const env = { ...UNLIMITED, SIGNING_ALG: "RS256" };
  await using many = await Server.start({ directory: large, env });
  await using few = await Server.start({ directory: small, env });
  const login = (server: Server, users: number) =>
    duration(() => server.token({ username: anyOf(users), password: PASSWORD }));
  const [ours, theirs] = await inTurns(
    LOGINS,
    () => login(many, LARGE.users),
    () => login(few, SMALL.users),
  );
  return {
    what: `Login with a cheap hash, ${SIZES}`,
    unit: "ms",
    measured: median(ours),
    baseline: median(theirs),
    goal: ["at most", 1.1],
  };
}

/** Milliseconds for what a login does in the database alone: find the client, write the row. */
async function compareRecords(large: Directory, small: Directory): Promise<Row> {
  const [many, few] = [openStorage(large.database), openStorage(small.database)];
  const login = (storage: typeof many, users: number) =>
    duration(async () => {
      const { user } = (await storage.findClient(anyOf(users)))!;
      await storage.recordAuthentication({ ip: "192.0.2.1", at: Date.now(), user });
    });
  const [ours, theirs] = await inTurns(
    LOGINS,
    () => login(many, LARGE.users),
    () => login(few, SMALL.users),
  );
  await many.close();
  await few.close();
  return {
    what: `Of it, the database, ${SIZES}`,
    unit: "ms",
    measured: median(ours),
    baseline: median(theirs),
  };
}

/** The most memory that a listing takes, in MiB. */
async function measureListing({ path: cwd }: Directory, args: string[]): Promise<Row> {
  const program = new Program(args, { cwd, env: {}, prelude: "exec >/dev/null" });
  let most = 0;
  const watch = setInterval(async () => {
    most = Math.max(most, await memory(program.pid, "VmHWM").catch(() => 0)); // it may have ended
  }, 50);
  const { code, stderr } = await program.ended;
  clearInterval(watch);
  if (code !== 0 || most === 0) throw new Error(`${args.join(" ")} failed: ${stderr}`);
  return {
    what: `Memory of ${args.join(" ")} with 1,000,000 users and 10,000,000 log rows`,
    unit: "MiB",
    measured: most / MIB,
    goal: ["below", 150],
  };
}

/** Milliseconds for a command, its process included. */
async function compareCommands(large: Directory, small: Directory, args: string[]): Promise<Row> {
  const run = (directory: Directory) =>
    duration(async () => {
      const { code, stderr } = await directory.run(args);
      if (code !== 0) throw new Error(stderr);
    });
  const [ours, theirs] = await inTurns(COMMANDS, () => run(large), () => run(small));
  return {
    what: `${args.join(" ")} with ${SIZES}`,
    unit: "ms",
    measured: median(ours),
    baseline: median(theirs),
    goal: ["at most", 1.2],
  };
}

/** The purge as the server does it, with all ten million rows to go, beside logins. */
async function measurePurgeBehind({ database }: Directory): Promise<Row[]> {
  const storage = openStorage(database);
  const holds: number[] = [];
  let purged = 0;
  const maintenance = new Maintenance({
    ring: { maintain: () => Promise.resolve() } as KeyRing, // the one method that is used
    storage: wrapStorage(storage, (own) => ({
      async purgeAuthentications(before, limit) {
        const start = performance.now();
        const batch = own.purgeAuthentications(before, limit);
        holds.push(performance.now() - start);
        const rows = await batch;
        purged += rows;
        return rows;
      },
    })),
    authLogRetention: 1,
    clock: () => Date.now() - 60_000, // the logins of now are no old rows
    now: () => performance.now(),
    log: recordingLog().log,
  });
  const users: UserRecord[] = [];
  for (let user = 0; user < 1000; user++) {
    users.push((await storage.findUser(anyOf(LARGE.users)))!);
  }
  const start = performance.now();
  let logins = 0;
  const loginsDue = () => (performance.now() - start) * LOGIN_RATE / 1000;
  const ticking = setInterval(async () => {
    while (logins < loginsDue()) {
      const user = users[logins++ % users.length]!;
      await storage.recordAuthentication({ ip: "192.0.2.1", at: Date.now(), user });
    }
  }, 1);
  for (let round = 0; round < PURGES; round++) await maintenance.run();
  clearInterval(ticking);
  const seconds = (performance.now() - start) / 1000;
  await new Promise((resolve) => setTimeout(resolve, 500)); // for the logins under way
  await storage.close();
  const what = `Purge of 10,000,000 log rows beside ${logins / seconds | 0} logins/s`;
  return [
    { what, unit: "rows/s", measured: purged / seconds, goal: ["at least", LOGIN_RATE] },
    {
      what: `${what}, hold of the event loop, 99th percentile`,
      unit: "ms",
      measured: quantile(holds, 0.99),
      goal: ["below", 10],
    },
    { what: `${what}, 99.9th percentile`, unit: "ms", measured: quantile(holds, 0.999) },
    { what: `${what}, longest hold`, unit: "ms", measured: Math.max(...holds) },
  ];
}

function anyOf(users: number): string {
  return usernameOf(1 + Math.floor(Math.random() * users));
}
