import assert from "node:assert/strict";
import { copyFile, killCopy, manyUsers, namesIn, withFiles } from "./files.ts";
import { dump } from "./rows.ts";

/** Where a copy is killed, and whether it is there by then. */
const STEPS: readonly [step: string, isThere: boolean][] = [
  ["write auth_logs", false],
  ["compared", false],
  ["link", true],
];

Deno.test("a copy into a new file that is killed has made it whole, or not at all", async () => {
  await withFiles(manyUsers(3), async (files) => {
    const expected = dump(files.from);
    for (const [step, isThere] of STEPS) {
      await killCopy(files, step);
      assert.equal((await namesIn(files.directory)).includes("to"), isThere, step);
      if (!isThere) await copyFile(files);
      assert.deepEqual(dump(files.to), expected);
      await Deno.remove(files.to);
    }
  });
});

Deno.test("a copy into a file that was there leaves it empty when it is killed", async () => {
  await withFiles(manyUsers(3), async (files) => {
    await Deno.writeTextFile(files.to, "");
    await killCopy(files, "compared");
    assert.deepEqual(dump(files.to).users, []);
    await copyFile(files);
    assert.deepEqual(dump(files.to), dump(files.from));
  });
});
