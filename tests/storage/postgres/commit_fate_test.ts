/** Transactions whose connection is ended while they are being committed. */

import assert from "node:assert/strict";
import { isDomainError } from "../../../lib/base/errors.ts";
import { parsePostgresUrl } from "../../../lib/storage/postgres/location.ts";
import { PostgresPool } from "../../../lib/storage/postgres/pool.ts";
import { eventually } from "../../blackbox/harness.ts";
import type { PostgresServer } from "../../servers/postgres.ts";
import { startServer } from "./databases.ts";

const server = await startServer("what becomes of transactions whose commit nobody heard of");

/** Ends its own connection while it is committed, as often as the sequence has numbers left. */
const UNLUCKY = `
CREATE TABLE numbers (number int);
CREATE SEQUENCE endings MAXVALUE 2;
CREATE FUNCTION end_connection() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  PERFORM nextval('endings');
  PERFORM pg_terminate_backend(pg_backend_pid());
  RETURN NULL;
EXCEPTION WHEN sequence_generator_limit_exceeded THEN
  RETURN NULL;
END $$;
CREATE CONSTRAINT TRIGGER unlucky AFTER INSERT ON numbers DEFERRABLE INITIALLY DEFERRED
FOR EACH ROW EXECUTE FUNCTION end_connection();
GRANT ALL ON numbers, endings TO PUBLIC`;

interface Committed {
  pool: PostgresPool;
  database: string;
  /** Inserts the next number, and gives it. */
  insert(): Promise<number>;
  /** The numbers that are there. */
  numbers(): Promise<string>;
}

async function withDatabase(
  { schema }: { schema: string },
  use: (committed: Committed) => Promise<void>,
): Promise<void> {
  const url = await server!.createDatabase();
  const database = new URL(url).pathname.slice(1);
  await server!.psql(schema, database);
  const pool = new PostgresPool(parsePostgresUrl(url)!);
  let next = 0;
  const insert = () =>
    pool.transaction(async (statements) => {
      const number = ++next;
      await statements.query("INSERT INTO numbers VALUES ($1)", [number]);
      return number;
    });
  const numbers = () =>
    server!.psql("SELECT string_agg(number::text, ',' ORDER BY number) FROM numbers", database);
  try {
    await use({ pool, database, insert, numbers });
  } finally {
    await pool.close();
  }
}

if (server !== undefined) {
  Deno.test("a transaction that was ended before it was committed is run again", () =>
    withDatabase({ schema: UNLUCKY }, async ({ insert, numbers }) => {
      assert.equal(await insert(), 3);
      assert.equal(await numbers(), "3");
    }));

  Deno.test("one that was committed is not, and counts when it is as durable as it was to be", () =>
    withDatabase(
      { schema: "CREATE TABLE numbers (number int); GRANT ALL ON numbers TO PUBLIC" },
      async ({ database, insert, numbers }) => {
        await setStandby(server, "away");
        const inserted = insert();
        let isAnswered = false;
        inserted.then(() => isAnswered = true, () => {});
        await untilOneWaits(server, database);
        await server.psql(`SELECT pg_terminate_backend(pid) ${WAITING}`, database);
        await untilOneWaits(server, database); // who asks what became of it
        assert.equal(isAnswered, false);
        await setStandby(server, "''");
        assert.equal(await inserted, 1);
        assert.equal(await numbers(), "1");
      },
    ));

  Deno.test("where that cannot be asked a transaction is not run again", () =>
    withDatabase({
      schema: `${UNLUCKY}; REVOKE EXECUTE ON FUNCTION pg_xact_status FROM PUBLIC`,
    }, async ({ insert, numbers }) => {
      await assert.rejects(insert, (error) => isDomainError(error, "storage_unavailable"));
      assert.equal(await numbers(), "");
    }));
}

/** Those whose commit waits for another server. */
const WAITING =
  "FROM pg_stat_activity WHERE wait_event = 'SyncRep' AND datname = current_database()";

async function untilOneWaits(server: PostgresServer, database: string): Promise<void> {
  await eventually("a commit waits", async () => {
    return await server.psql(`SELECT count(*) ${WAITING}`, database) === "1" || undefined;
  });
}

/** The server that every commit waits for. */
async function setStandby(server: PostgresServer, name: string): Promise<void> {
  await server.psql(`ALTER SYSTEM SET synchronous_standby_names = ${name}`);
  await server.psql("SELECT pg_reload_conf()");
}
