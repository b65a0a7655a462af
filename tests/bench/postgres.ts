/** How many logins servers answer whose database is a PostgreSQL, and how fast they serve their keys. */

import { hash } from "@node-rs/argon2";
import { WITH_SECRET } from "../blackbox/commands.ts";
import { eventually, Server, UNLIMITED } from "../blackbox/harness.ts";
import { settled } from "../blackbox/keys.ts";
import { works } from "../blackbox/skip.ts";
import { hasPostgres, PostgresServer } from "../servers/postgres.ts";
import { CONNECTIONS, type Load, requestsPerSecond } from "./load.ts";
import { loginScript } from "./login_statements.ts";
import { scriptsPerSecond } from "./pgbench.ts";
import type { Row, Unmeasured } from "./row.ts";
import { inTurns, median } from "./statistics.ts";

const ROUNDS = 5;
const SECONDS = 3;

/** Servers of each kind that are asked for their keys. */
const PAIRS = 4;

const WHAT = "Remembered logins on PostgreSQL";
const JWKS = "/.well-known/jwks.json";

/** Who logs in: by turns, so that no two wait for one user's row. */
const USERS = 100;

/** The most connections of one server to its database. */
const POOL = 10;

const PASSWORD = "of all the users of this benchmark";

/** The cost at which the tests' servers check passwords. */
const COST = { memoryCost: 64, timeCost: 1, parallelism: 1 };

/** As servers are that hold something: what is committed is on the disk. */
const DURABLE = { fsync: true, settings: { shared_buffers: "128MB" } };

/**
 * The least share of what the database gives by itself, with one server and with two, which share
 * the processors with it. Deno signs with RSA so slowly that the database has little part in it.
 */
const GOALS = { EdDSA: [0.2, 0.2], RS256: undefined } as const;

/**
 * Logins a second, with one server and with two, against pgbench that gives the same two statements
 * to the same PostgreSQL over as many connections; and GETs of the keys, against those of a server
 * with SQLite.
 */
export async function measurePostgres(): Promise<(Row | Unmeasured)[]> {
  if (!await hasPostgres(WHAT) || !await works(["pgbench", "--version"], WHAT)) {
    return [{ what: WHAT, reason: "skipped: it needs PostgreSQL", isFailure: false }];
  }
  await using postgres = await PostgresServer.start(DURABLE);
  const rows: Row[] = [];
  for (const alg of ["EdDSA", "RS256"] as const) rows.push(...await measureLogins(postgres, alg));
  return [...rows, await compareKeys(postgres)];
}

async function measureLogins(
  postgres: PostgresServer,
  alg: keyof typeof GOALS,
): Promise<Row[]> {
  const url = await postgres.createDatabase();
  await using one = await startServer(url, alg);
  await using two = await startServer(url, alg);
  const passwordHash = await hash(PASSWORD, COST);
  const insertion = "INSERT INTO users (id, username, email, password_hash) " +
    `SELECT n, n, n || '@example.com', '${passwordHash}' FROM generate_series(1, ${USERS}) n`;
  await postgres.psql(`${insertion}; ANALYZE`, new URL(url).pathname.slice(1));
  const rows: Row[] = [];
  for (const servers of [[one], [one, two]]) {
    const loads = servers.map((server) => loginLoad(server, CONNECTIONS / servers.length));
    for (const load of loads) await remember(load);
    const [ours, theirs] = await inTurns(
      ROUNDS,
      () => loginsPerSecond(loads),
      async () => {
        const script = await loginScript({ users: USERS, passwordHash, at: Date.now() });
        const connections = POOL * servers.length;
        return await scriptsPerSecond({ url, script, connections, seconds: SECONDS });
      },
    );
    const goal = GOALS[alg]?.[servers.length - 1];
    rows.push({
      what: `${WHAT}, ${alg}, ${servers.length} server(s), against pgbench`,
      unit: "/s",
      measured: median(ours),
      baseline: median(theirs),
      ...(goal === undefined ? {} : { goal: ["at least", goal] }),
    });
  }
  return rows;
}

async function startServer(database: string, alg: string): Promise<Server> {
  const env = { ...UNLIMITED, ...WITH_SECRET, DATABASE: database, SIGNING_ALG: alg };
  const server = await Server.start({ env });
  await eventually("two keys are published", async () => {
    return (await server.jwks()).json.keys.length === 2 || undefined;
  });
  return server;
}

/** Logins of all users in turns; their names are their ids. */
function loginLoad(server: Server, connections: number) {
  const bodies = Array.from({ length: USERS }, (_, place) => {
    return JSON.stringify({ username: String(place + 1), password: PASSWORD });
  });
  const headers = { "Content-Type": "application/json" };
  return { url: `${server.url}/auth`, headers, bodies, connections };
}

/** Logs each user in. */
async function remember({ url, headers, bodies }: ReturnType<typeof loginLoad>): Promise<void> {
  for (const body of bodies) {
    const answer = await fetch(url, { method: "POST", headers, body });
    const text = await answer.text();
    if (answer.status !== 200) throw new Error(text);
  }
}

async function loginsPerSecond(loads: readonly Load[]): Promise<number> {
  const rates = await Promise.all(loads.map((load) => requestsPerSecond(load, SECONDS)));
  return rates.reduce((sum, rate) => sum + rate);
}

/** Of several servers of each kind: one process is faster than another by chance. */
async function compareKeys(postgres: PostgresServer): Promise<Row> {
  const [measured, baseline]: [number[], number[]] = [[], []];
  for (let pair = 0; pair < PAIRS; pair++) {
    await using ours = await startServer(await postgres.createDatabase(), "RS256");
    await using theirs = await Server.start({ env: { SIGNING_ALG: "RS256" } });
    await settled(theirs);
    const [own, other] = await inTurns(
      ROUNDS,
      () => requestsPerSecond(ours.url + JWKS, 1),
      () => requestsPerSecond(theirs.url + JWKS, 1),
    );
    measured.push(...own);
    baseline.push(...other);
  }
  return {
    what: "GET of the JWK set with PostgreSQL, against the same with SQLite",
    unit: "/s",
    measured: median(measured),
    baseline: median(baseline),
    goal: ["at least", 0.9],
  };
}
