/** What a failing disk or another program does to a database. */

import type { SqliteDatabase } from "../../lib/storage/sqlite/database.ts";
import type { Workplace } from "./workplace.ts";

/** Overwrites the first pages of a table and of its indexes. */
export async function damageTable(workplace: Workplace, table: string): Promise<void> {
  const pages = workplace.tamper((database) =>
    database.all<{ rootpage: number }>(
      "SELECT rootpage FROM sqlite_schema WHERE tbl_name = ? AND rootpage > 0",
      table,
    ).map((row) => row.rootpage)
  );
  await damagePages(workplace, pages);
}

/** Overwrites the last page, which is one of the table that was written last; gives its number. */
export async function damageLastPage(workplace: Workplace): Promise<number> {
  const page = workplace.tamper((database) =>
    database.get<{ page_count: number }>("PRAGMA page_count")!.page_count
  );
  await damagePages(workplace, [page]);
  return page;
}

async function damagePages(workplace: Workplace, pages: readonly number[]): Promise<void> {
  const size = workplace.tamper((database) =>
    database.get<{ page_size: number }>("PRAGMA page_size")!.page_size
  );
  using file = await Deno.open(workplace.path, { write: true });
  for (const page of pages) {
    await file.seek((page - 1) * size, Deno.SeekMode.Start);
    await file.write(new Uint8Array(size).fill(0xff));
  }
}

/** Changes the end of the row of this number, as one program does that knows no sealing. */
export function alterRow(database: SqliteDatabase, id: string): void {
  database.run("UPDATE keys SET exp = exp + 1 WHERE kid = ?", Number(id));
}

/** A row of `keys` whose number is larger than numbers are exact. */
export const HUGE = "9007199254740993";

export function addHugeRow(database: SqliteDatabase): void {
  database.run(`INSERT INTO keys (kid, key, exp) VALUES (${HUGE}, x'00', 1)`);
}

/** A row of `auth_logs` as another program writes it. */
export function addLogRow(database: SqliteDatabase, timestamp: string, ip = "192.0.2.1"): number {
  const sql = "INSERT INTO auth_logs (request_ip, request_timestamp) VALUES (?, ?) RETURNING id";
  return database.get<{ id: number }>(sql, ip, timestamp)!.id;
}
