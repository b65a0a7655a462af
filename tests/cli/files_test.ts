import assert from "node:assert/strict";
import { SECRET } from "../support.ts";
import { withWorkplace } from "./workplace.ts";

/** Every name in a directory, with what it is. */
async function contents(directory: string): Promise<string[]> {
  const found: string[] = [];
  for await (const { name, isFile } of Deno.readDir(directory)) found.push(`${name} ${isFile}`);
  return found.toSorted();
}

Deno.test("backup refuses what is no regular file, and touches nothing beside it", async () => {
  await withWorkplace(async (workplace) => {
    const { directory } = workplace;
    await Deno.mkdir(`${directory}/in`);
    await Deno.mkdir(`${directory}/in/directory`);
    const fifo = `${directory}/in/fifo`;
    await new Deno.Command("mkfifo", { args: [fifo] }).output();
    await Deno.symlink("/dev/null", `${directory}/in/device`);
    await Deno.symlink("nowhere/at/all", `${directory}/in/dangling`);
    const before = await contents(`${directory}/in`);
    const mode = (await Deno.lstat(fifo)).mode;
    const refused = [
      [fifo, /is a FIFO/],
      [`${directory}/in/directory`, /is a directory/],
      [`${directory}/in/device`, /is a device/],
      ["/dev/null", /is a device/],
      [`${directory}/in/dangling`, /exists already/],
      [workplace.path, /exists already/],
      [`${workplace.path}/below-a-file`, /cannot be written/],
      [`${directory}/${"x".repeat(300)}`, /cannot be written/],
    ] as const;
    for (const [file, reason] of refused) {
      const { error, stdout, stderr } = await workplace.execute(["backup", file]);
      assert.ok(error instanceof Error, file);
      assert.match(stderr, reason);
      assert.equal(stdout, "");
    }
    assert.deepEqual(await contents(`${directory}/in`), before);
    assert.deepEqual(await contents(`${directory}/in/directory`), []);
    assert.equal((await Deno.lstat(fifo)).mode, mode);
    assert.equal((await workplace.findings()).database, "ok");
  }, { alg: "ES256" });
});

Deno.test("backup is a database that opens under the same secret, with the same keys", async () => {
  await withWorkplace(async (workplace) => {
    const file = `${workplace.directory}/copy`;
    await workplace.run(["backup", file]);
    assert.deepEqual(await workplace.keys({ DATABASE: file }), await workplace.keys());
    assert.deepEqual(
      (await contents(workplace.directory)).filter((name) => /copy\./.test(name)),
      [],
    );
  }, { alg: "ES256" });
});

Deno.test("rekey keeps the old secret's file, names it, and backups open with what is in it", async () => {
  await withWorkplace(async (workplace) => {
    const secretFile = `${workplace.path}.key`;
    await Deno.writeTextFile(secretFile, `${SECRET}\n`, { mode: 0o600 });
    const env = { NOT_MY_KEY: undefined };
    const copy = `${workplace.directory}/copy`;
    await workplace.run(["backup", copy], env);
    const said = await workplace.run(["rekey"], env);
    const kept = /The old secret is kept in (\S+): backups made before need it/.exec(said)?.[1];
    assert.ok(kept !== undefined, said);
    assert.equal((await Deno.readTextFile(kept)).trim(), SECRET);
    assert.equal((await Deno.stat(kept)).mode! & 0o777, 0o600);
    assert.notEqual((await Deno.readTextFile(secretFile)).trim(), SECRET);
    const keys = await workplace.keys(env);
    const older = { DATABASE: copy, NOT_MY_KEY: undefined, NOT_MY_KEY_FILE: kept };
    assert.deepEqual(
      (await workplace.keys(older)).map(({ kid }) => kid),
      keys.map(({ kid }) => kid),
    );
  }, { alg: "ES256" });
});

Deno.test("rekey from a secret that was given names the file whose content it moved away", async () => {
  await withWorkplace(async (workplace) => {
    const secretFile = `${workplace.path}.key`;
    const other = "a secret that nobody uses any more";
    await Deno.writeTextFile(secretFile, other, { mode: 0o600 });
    const said = await workplace.run(["rekey"]);
    assert.ok(said.includes(`The new secret is in ${secretFile}`), said);
    const kept = new RegExp(`What stood in ${secretFile} is kept in (\\S+)`).exec(said)?.[1];
    assert.equal(await Deno.readTextFile(kept!).then((text) => text.trim()), other);
    assert.equal((await workplace.keys({ NOT_MY_KEY: undefined })).length, 3);
  }, { alg: "ES256" });
});
