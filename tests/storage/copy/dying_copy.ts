/**
 * A process that copies a SQLite file and kills itself at a step:
 *
 *     dying_copy.ts SOURCE TARGET STEP
 *
 * The target is a path, or the URL of a PostgreSQL. A step is a method of what writes and the table
 * that it has done its work on, `compared`, or a method of `Disk`.
 */

import { DISK, type Disk } from "../../../lib/base/disk.ts";
import { copyTables } from "../../../lib/storage/copy.ts";
import { parsePostgresUrl } from "../../../lib/storage/postgres/location.ts";
import * as postgres from "../../../lib/storage/postgres/table_access.ts";
import { readTables } from "../../../lib/storage/sqlite/table_reader.ts";
import * as sqlite from "../../../lib/storage/sqlite/table_target.ts";
import type { Table, TableWriter } from "../../../lib/storage/tables.ts";

const [from, to, step] = Deno.args as [string, string, string];

function reach(name: string): void {
  if (name === step) Deno.kill(Deno.pid, "SIGKILL");
}

/** The same object, which is done with a step when its method has ended. */
function stepping<Parts extends object>(own: Parts): Parts {
  return new Proxy(own, {
    get(target, name) {
      const value = Reflect.get(target, name);
      if (typeof value !== "function") return value;
      return (...args: unknown[]) => {
        const result = value.apply(target, args);
        const table = (args[0] as Partial<Table> | undefined)?.name;
        const done = table === undefined ? String(name) : `${String(name)} ${table}`;
        if (!(result instanceof Promise)) {
          reach(done);
          return result;
        }
        return result.then((given: unknown) => {
          reach(done);
          return given;
        });
      };
    },
  });
}

const location = parsePostgresUrl(to);
const write = <Result>(body: (writer: TableWriter) => Promise<Result>): Promise<Result> =>
  location === undefined
    ? sqlite.writeTables(to, body, stepping<Disk>(DISK))
    : postgres.writeTables({ location, ca: undefined }, body);

await copyTables(
  (body) => readTables(from, body),
  (body) => write((writer) => body(stepping(writer))),
  { onProgress: (what, done, total) => reach(done === total ? what : "") },
);
