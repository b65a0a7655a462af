/** A program that asks each URL of its arguments who it is there, and prints the answers as JSON. */

import { parsePostgresUrl } from "../../../lib/storage/postgres/location.ts";
import { PostgresPool } from "../../../lib/storage/postgres/pool.ts";

const QUESTION = `SELECT current_user AS role, current_database() AS database,
  current_setting('application_name') AS name, current_setting('work_mem') AS work_mem,
  '\\x00'::bytea AS bytes`;

async function ask(url: string): Promise<unknown> {
  const pool = new PostgresPool(parsePostgresUrl(url)!);
  try {
    return (await pool.read(QUESTION)).rows[0];
  } catch (error) {
    return (error as Error).message;
  } finally {
    await pool.close();
  }
}

const answers = await Promise.all(Deno.args.map(ask));
await Deno.stdout.write(new TextEncoder().encode(JSON.stringify(answers)));
