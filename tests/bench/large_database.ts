/** A database that a server has made, and that has many users and a long log. */

import { hash } from "@node-rs/argon2";
import { statfs } from "node:fs/promises";
import { DatabaseSync } from "node:sqlite";
import { Directory, Server } from "../blackbox/harness.ts";
import { settled } from "../blackbox/keys.ts";

export interface Size {
  users: number;
  rows: number;
}

const GIB = 2 ** 30;

/** Bytes of the largest database that is made here, with room for its index to be sorted. */
const NEEDED = 4 * GIB;

/** The password of every user, at the cost at which the tests' servers check it. */
export const PASSWORD = "of all the users of a benchmark";
const COST = { memoryCost: 64, timeCost: 1, parallelism: 1 };

const NUMBERS =
  "WITH RECURSIVE numbers (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers WHERE n < ?)";

/** Why no large database can be made, if so. */
export async function lackOfSpace(): Promise<string | undefined> {
  await using directory = new Directory();
  const { bavail, bsize } = await statfs(directory.path);
  const free = bavail * bsize;
  if (free >= NEEDED) return undefined;
  return `skipped: ${(free / GIB).toFixed(1)} GiB are free, it takes ${NEEDED / GIB}`;
}

/** The name of the user of this number, from 1 on. */
export function usernameOf(number: number): string {
  return `user-${number}`;
}

/**
 * A directory with the keys of a server and so many users; two log rows a second up to now, each
 * fourth of nobody, the others of all users in turns that are far apart.
 */
export async function makeLarge({ users, rows }: Size): Promise<Directory> {
  const directory = new Directory();
  await using server = await Server.start({ directory });
  await settled(server);
  await server.stop();
  const connection = new DatabaseSync(directory.database);
  connection.exec(
    "PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF; PRAGMA cache_size = -400000",
  );
  connection.prepare(
    `${NUMBERS} INSERT INTO users (username, email, password_hash) ` +
      "SELECT 'user-' || n, 'user-' || n || '@example.com', ? FROM numbers",
  ).run(users, await hash(PASSWORD, COST));
  const index = connection.prepare("SELECT sql FROM sqlite_schema WHERE name = 'auth_logs_user'");
  const { sql } = index.get() as { sql: string };
  connection.exec("DROP INDEX auth_logs_user"); // sorted once, it is made in a tenth of the time
  connection.prepare(
    `${NUMBERS} INSERT INTO auth_logs (request_ip, request_timestamp, user_id) ` +
      "SELECT '192.0.2.' || (n % 250), datetime('now', ((n - ?) / 2) || ' seconds'), " +
      "CASE WHEN n % 4 = 0 THEN NULL ELSE 1 + n * 7919 % ? END FROM numbers",
  ).run(rows, rows, users);
  connection.exec(sql);
  connection.exec("PRAGMA journal_mode = WAL");
  connection.close();
  await new Deno.Command("sync").output(); // what is measured next is not to wait for all that
  return directory;
}
