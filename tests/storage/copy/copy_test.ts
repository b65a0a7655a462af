import assert from "node:assert/strict";
import fc from "fast-check";
import { copyTables } from "../../../lib/storage/copy.ts";
import { readTables } from "../../../lib/storage/sqlite/table_reader.ts";
import { writeTables } from "../../../lib/storage/sqlite/table_target.ts";
import { withTempDir } from "../../support.ts";
import { dump, given, makeDatabase } from "./rows.ts";

/** Copies one SQLite file into another. */
function copyFile(from: string, to: string, options = {}) {
  return copyTables((body) => readTables(from, body), (body) => writeTables(to, body), options);
}

Deno.test("copyTables() gives a SQLite file with the same rows, whatever stands in them", async () => {
  await fc.assert(
    fc.asyncProperty(given, (contents) =>
      withTempDir(async (directory) => {
        const [from, to] = [`${directory}/from`, `${directory}/to`];
        makeDatabase(from, contents);
        await copyFile(from, to);
        assert.deepEqual(dump(to), dump(from));
        assert.deepEqual(await names(directory), ["from", "to"]);
      })),
    { numRuns: 50 },
  );
});

async function names(directory: string): Promise<string[]> {
  return (await Array.fromAsync(Deno.readDir(directory), ({ name }) => name)).toSorted();
}
