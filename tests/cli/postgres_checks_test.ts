import assert from "node:assert/strict";
import {
  checkDatabaseClock,
  checkDurability,
  checkEncryption,
  checkStatementTimeout,
  checkWritability,
} from "../../lib/cli/postgres_checks.ts";
import { checkReplicas, checkRoom } from "../../lib/cli/replica_checks.ts";
import { parsePostgresUrl } from "../../lib/storage/postgres/location.ts";
import type { Statements } from "../../lib/storage/postgres/transaction.ts";
import type { SeenServer } from "../../lib/storage/storage.ts";

const NOW = Date.UTC(2030, 0, 1);

/** A server that answers any statement with this row. */
function answering(row: object): Statements {
  return { query: <Row>() => Promise.resolve({ rows: [row as Row], count: 1 }) };
}

Deno.test("doctor finds a problem in a standby, and in settings by which rows are lost", async () => {
  const primary = { isStandby: false, isReadOnly: false };
  assert.equal((await checkWritability(answering(primary))).status, "ok");
  const standby = await checkWritability(answering({ isStandby: true, isReadOnly: true }));
  assert.deepEqual([standby.status, standby.message], [
    "problem",
    "the server is a standby, which takes none",
  ]);
  const durable = { commit: "on", fsync: true, fullPageWrites: true };
  for (const commit of ["on", "local", "remote_write", "remote_apply"]) {
    assert.equal((await checkDurability(answering({ ...durable, commit }))).status, "ok", commit);
  }
  for (
    const [change, name] of [
      [{ commit: "off" }, "synchronous_commit"],
      [{ fsync: false }, "fsync"],
      [{ fullPageWrites: false }, "full_page_writes"],
    ] as const
  ) {
    const { status, message } = await checkDurability(answering({ ...durable, ...change }));
    assert.equal(status, "problem");
    assert.ok(message.startsWith(`off: ${name}: `), message);
  }
});

Deno.test("doctor says how the database is spoken to, and warns where a pooler goes on without TLS", async () => {
  const remote = parsePostgresUrl("postgres://jwks@db.example/tokens")!;
  const socket = parsePostgresUrl("postgres:///tokens?host=/run/postgresql&user=jwks")!;
  const loopback = parsePostgresUrl("postgres://jwks@127.0.0.1/tokens")!;
  const plain = answering({ version: null });
  const found = await Promise.all([
    checkEncryption(answering({ version: "TLSv1.3" }), remote),
    checkEncryption(plain, remote),
    checkEncryption(plain, socket),
    checkEncryption(plain, loopback),
  ]);
  assert.deepEqual(found.map(({ status }) => status), ["ok", "warning", "ok", "ok"]);
  assert.equal(found[0]!.message, "TLSv1.3, certificate verified");
});

Deno.test("doctor warns where a pooler keeps the limits from the server", async () => {
  assert.equal((await checkStatementTimeout(answering({ timeout: 1600 }))).status, "ok");
  assert.equal((await checkStatementTimeout(answering({ timeout: 0 }))).status, "warning");
});

Deno.test("doctor measures the database's clock with the round trip taken off", async () => {
  /** A database whose clock is so far from this one's, each answer taking as long as `trips` say. */
  const check = async (ahead: number, trips: readonly number[]) => {
    let now = NOW;
    let reading = 0;
    const query = <Row>() => {
      const trip = trips[reading++ % trips.length]!;
      const theirs = now + trip / 2 + ahead;
      now += trip;
      return Promise.resolve({ rows: [{ now: theirs } as Row], count: 1 });
    };
    return await checkDatabaseClock({ query }, () => now);
  };
  assert.deepEqual(await check(0, [10]), {
    check: "database clock",
    status: "ok",
    message: "at most 5 ms from this machine's",
  });
  assert.match((await check(0, [900, 4, 700, 800, 600])).message, /^at most 2 ms/); // the quickest counts
  assert.equal((await check(60_000, [2000])).status, "ok");
  const late = await check(61_000, [10]);
  assert.deepEqual([late.status, late.message], [
    "warning",
    "this machine's clock is 61 s behind the database's",
  ]);
  const early = await check(-301_000, [10]);
  assert.deepEqual([early.status, early.message], [
    "problem",
    "this machine's clock is 301 s ahead of the database's",
  ]);
  assert.equal((await check(300_000, [10])).status, "warning");
});

const CHECK = new Uint8Array([1, 2, 3]);

/** A database on which these servers have told of themselves. */
function database(servers: readonly Partial<SeenServer>[], room: object = {}): Statements {
  const seen = servers.map((server, index) => ({
    id: String(index),
    host: `tokens-${index}:8080`,
    version: "1.0.0",
    at: NOW,
    check: CHECK,
    issuer: "https://id.example",
    limitedAt: "redis://valkey.example:6379",
    seenAt: NOW,
    ...server,
  }));
  const answers: [RegExp, object[]][] = [
    [/FROM servers/, seen],
    [/clock_timestamp/, [{ now: NOW }]],
    [/kek_check/, [{ derivation: CHECK, check: CHECK, hasKeys: true }]],
    [/max_connections/, [{ ofServer: 97, ofRole: -1, ofDatabase: -1, ...room }]],
  ];
  return {
    query: <Row>(sql: string) => {
      const [, rows] = answers.find(([pattern]) => pattern.test(sql))!;
      return Promise.resolve({ rows: rows as Row[], count: rows.length });
    },
  };
}

Deno.test("doctor tells which servers run, and of those that are well nothing else", async () => {
  const [finding, ...rest] = await checkReplicas(database([{}, {}, { seenAt: NOW - 30_000 }]));
  assert.deepEqual(rest, []);
  assert.deepEqual(finding, {
    check: "servers",
    status: "ok",
    message: "2 of version 1.0.0, all well: tokens-0:8080, tokens-1:8080",
  });
  assert.equal((await checkReplicas(database([])))[0]!.status, "ok");
});

Deno.test("doctor names a server under another secret, and one whose clock is off", async () => {
  const found = await checkReplicas(database([
    {},
    { check: new Uint8Array([9]), at: NOW - 8000, seenAt: NOW - 8000 },
    { at: NOW - 90_000 },
    { at: NOW + 301_000 },
    { check: new Uint8Array([9]), seenAt: NOW - 30_000 }, // it has gone
  ]));
  assert.deepEqual(found.map(({ status, message }) => [status, message]), [
    [
      "problem",
      "tokens-1:8080 runs under another secret than the database's, as of 8 s ago: it makes no keys",
    ],
    ["warning", "the clock of tokens-2:8080 is 90 s behind the database's"],
    ["problem", "the clock of tokens-3:8080 is 301 s ahead of the database's"],
  ]);
});

Deno.test("doctor warns of servers of several versions", async () => {
  const found = await checkReplicas(database([{}, { version: "1.1.0" }]));
  assert.deepEqual(found.map(({ status }) => status), ["warning"]);
  assert.match(found[0]!.message, /of 2 versions: 1\.0\.0, 1\.1\.0$/);
});

Deno.test("doctor counts a server that was killed and started again once", async () => {
  const place = { host: "tokens-0:8080", check: new Uint8Array([9]) };
  const late = { ...place, at: NOW - 15_000, seenAt: NOW - 15_000 };
  const [finding] = await checkReplicas(database([{}, late]));
  assert.equal(finding!.message, "1 of version 1.0.0, all well: tokens-0:8080");
  // By the same name, two machines may tell in time.
  const inTime = { ...place, at: NOW - 14_000, seenAt: NOW - 14_000 };
  assert.equal((await checkReplicas(database([{}, inTime])))[0]!.status, "problem");
  assert.match((await checkReplicas(database([late])))[0]!.message, /as of 15 s ago/);
});

Deno.test("doctor finds a problem in servers that are several issuers", async () => {
  const found = await checkReplicas(database([{}, { issuer: "http://localhost:8080" }, {
    issuer: null,
  }, {}]));
  assert.deepEqual(found.map(({ status, message }) => [status, message]), [[
    "problem",
    "those that run are 2 issuers: http://localhost:8080 (tokens-1:8080), " +
    "https://id.example (tokens-0:8080, tokens-3:8080)",
  ]]);
  assert.equal((await checkReplicas(database([{}, { issuer: null }])))[0]!.status, "ok");
});

Deno.test("doctor warns where several servers do not count requests together", async () => {
  const alone = { limitedAt: null };
  assert.equal((await checkReplicas(database([alone])))[0]!.status, "ok");
  const [found] = await checkReplicas(database([alone, alone, alone]));
  assert.deepEqual([found!.status, found!.message], [
    "warning",
    "each of the 3 counts requests alone: a client that comes to each has 3 times RATE_LIMIT",
  ]);
  assert.match(found!.hint!, /REDIS_URL .*balancer .* by the client's address$/);
  const [apart] = await checkReplicas(database([{}, alone, { limitedAt: "redis://other:6379" }]));
  assert.deepEqual([apart!.status, apart!.message], [
    "warning",
    "those that run count requests at different places: none, redis://other:6379, " +
    "redis://valkey.example:6379",
  ]);
});

Deno.test("doctor warns where servers may want more connections than there are", async () => {
  const nine = Array.from({ length: 9 }, () => ({}));
  assert.equal((await checkRoom(database(nine))).status, "ok");
  const found = await checkRoom(database([...nine, {}]));
  assert.deepEqual([found.status, found.message], [
    "warning",
    "10 servers may want 100 connections, of 97 that there are",
  ]);
  for (const limit of ["ofRole", "ofDatabase", "ofServer"]) {
    assert.equal((await checkRoom(database([], { [limit]: 10 }))).status, "warning", limit);
    assert.equal((await checkRoom(database([], { [limit]: 11 }))).status, "ok", limit);
  }
});
