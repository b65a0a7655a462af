import assert from "node:assert/strict";
import { examineDatabase } from "../../../lib/storage/sqlite/examination.ts";
import { openStorage } from "../../support.ts";
import { assertRefusedUntouched, damageTable, withDatabase } from "./databases.ts";

/** What a server finds at its start of how the last one ended. */
function uncleanEnd(path: string, mostPages?: number) {
  return examineDatabase(path, { withUsers: true, ...mostPages && { mostPages } }).uncleanEnd;
}

/** As a server does that is killed, and whose log another process then writes into the file. */
async function leaveMark(path: string): Promise<void> {
  const storage = openStorage(path);
  await storage.beginRun();
  await storage.close();
}

Deno.test("examineDatabase() tells an end without endRun() from a clean one, also after commands", async () => {
  await withDatabase(async (path) => {
    assert.equal(uncleanEnd(path), undefined);
    const storage = openStorage(path);
    await storage.beginRun();
    await storage.endRun();
    await storage.close();
    assert.equal(uncleanEnd(path), undefined);
    await leaveMark(path);
    await openStorage(path).close(); // a command
    assert.deepEqual(uncleanEnd(path), { isChecked: true });
    assert.equal(examineDatabase(path).uncleanEnd, undefined, "a command is not held up by it");
  });
});

Deno.test("examineDatabase() takes a log that was left for an unclean end", async () => {
  await withDatabase(async (path) => {
    const running = openStorage(path);
    await running.writePolicy(new Uint8Array([1]));
    await Deno.mkdir(`${path}.left`);
    for (const suffix of ["", "-wal"]) {
      await Deno.copyFile(path + suffix, `${path}.left/db${suffix}`);
    }
    await running.close();
    assert.deepEqual(uncleanEnd(`${path}.left/db`), { isChecked: true });
    assert.equal(uncleanEnd(path), undefined);
  });
});

Deno.test("examineDatabase() refuses after an unclean end what is damaged anywhere", async () => {
  await withDatabase(async (path) => {
    await leaveMark(path);
    await damageTable(path, "auth_logs");
    await assertRefusedUntouched(path, /corrupt/);
  });
});

Deno.test("examineDatabase() leaves a database to doctor that is too large to be checked at a start", async () => {
  await withDatabase(async (path) => {
    await leaveMark(path);
    await damageTable(path, "auth_logs");
    assert.deepEqual(uncleanEnd(path, 10), { isChecked: false });
  });
});

Deno.test("SqliteStorage.endRun() leaves the mark of a server that started later", async () => {
  await withDatabase(async (path) => {
    const [first, second] = [openStorage(path), openStorage(path)];
    await first.beginRun();
    await second.beginRun();
    await first.endRun();
    await first.close();
    await second.close();
    assert.deepEqual(uncleanEnd(path), { isChecked: true });
  });
});
