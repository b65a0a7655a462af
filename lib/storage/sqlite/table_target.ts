/** A SQLite database that a copy is written into, in one transaction. */

import { DISK, type Disk } from "../../base/disk.ts";
import { DomainError } from "../../base/errors.ts";
import type { TableWriter } from "../tables.ts";
import { SqliteDatabase } from "./database.ts";
import { type Examination, examineDatabase } from "./examination.ts";
import { openForWriting } from "./named_connection.ts";
import { SqliteTableWriter } from "./table_writer.ts";
import { exists } from "./unchanged.ts";

type Body<Result> = (writer: TableWriter) => Promise<Result>;

/** What is added to the name of a database for the files that SQLite keeps beside it. */
const BESIDE = ["-wal", "-shm", "-journal"];

/**
 * Runs `body` in a transaction on the database at `path`. One that does not exist yet is made aside
 * and linked into place, so that it is whole or not there at all.
 *
 * @throws as `examineDatabase` does; `failed` when it cannot be made, or is of an older version;
 * whatever `body` throws.
 */
export async function writeTables<Result>(
  path: string,
  body: Body<Result>,
  disk: Disk = DISK,
): Promise<Result> {
  const examined = examineDatabase(path);
  examined.snapshot?.connection.close();
  return exists(path) ? await fillExisting(examined, body) : await make(path, body, disk);
}

/** What holds rows has not been changed when `body` refuses it. */
async function fillExisting<Result>(examined: Examination, body: Body<Result>): Promise<Result> {
  const { path, isNew, oldVersion } = examined;
  if (oldVersion !== undefined) {
    throw new DomainError("failed", `The database ${path} is of an older version`, {
      hints: ["name a file that does not exist; nothing was changed"],
    });
  }
  if (isNew) SqliteDatabase.open(examined).close();
  return await fill(path, body);
}

async function make<Result>(path: string, body: Body<Result>, disk: Disk): Promise<Result> {
  assertAlone(path);
  const draft = `${path}.${crypto.randomUUID()}`;
  try {
    SqliteDatabase.open(examineDatabase(draft)).close();
    const result = await fill(draft, body, ["PRAGMA journal_mode = DELETE"]);
    await place(draft, path, disk);
    return result;
  } finally {
    for (const suffix of ["", ...BESIDE]) {
      await disk.remove(`${draft}${suffix}`).catch(() => {}); // it may never have come to be
    }
  }
}

async function place(draft: string, path: string, disk: Disk): Promise<void> {
  try {
    await disk.link(draft, path);
    await disk.sync(path);
  } catch (cause) {
    throw new DomainError("failed", `The database ${path} cannot be made`, {
      cause,
      hints: [`${(cause as Error).message}: name another file`],
    });
  }
}

/** SQLite would take what another database has left for the newest rows of this one. */
function assertAlone(path: string): void {
  const left = BESIDE.map((suffix) => `${path}${suffix}`).find(exists);
  if (left === undefined) return;
  throw new DomainError("failed", `There is no ${path}, and ${left} is left of it`, {
    hints: ["move that away, or name another file"],
  });
}

async function fill<Result>(
  path: string,
  body: Body<Result>,
  settings: readonly string[] = [],
): Promise<Result> {
  const connection = openForWriting(path);
  try {
    for (const setting of settings) connection.get(setting);
    connection.run("PRAGMA synchronous = FULL");
    connection.run("PRAGMA foreign_keys = ON");
    connection.run("BEGIN IMMEDIATE");
    const result = await body(new SqliteTableWriter(connection));
    connection.run("COMMIT");
    return result;
  } finally {
    connection.close(); // which takes back what was not committed
  }
}
