import assert from "node:assert/strict";
import { networkUnder, type ReadType } from "../../lib/base/file_system.ts";
import { checkDisk } from "../../lib/cli/file_checks.ts";
import { warnOfNetwork } from "../../lib/server/sqlite_engine.ts";
import { recordingLog, withTempDir } from "../support.ts";

/** File systems as statfs(2) numbers them, and as they are called here. */
const KNOWN: [number, string | undefined][] = [
  [0x6969, "NFS"],
  [0xff534d42, "CIFS"],
  [0xff534d42 | 0, "CIFS"], // with a sign
  [0xfe534d42, "SMB2"],
  [0x517b, "SMB"],
  [0x65735546, "FUSE"],
  [0x01021997, "9P"],
  [0xef53, undefined], // ext4
  [0x58465342, undefined], // XFS
  [0x9123683e, undefined], // Btrfs
  [0x01021994, undefined], // tmpfs
  [0x794c7630, undefined], // overlayfs
  [0, undefined],
];

function always(type: number | undefined): ReadType {
  return () => Promise.resolve(type);
}

Deno.test("networkUnder() names the file systems of networks, and no local one", async () => {
  for (const [type, name] of KNOWN) {
    assert.equal(await networkUnder("db", always(type)), name, type.toString(16));
  }
  assert.equal(await networkUnder("db", always(undefined)), undefined);
});

Deno.test("networkUnder() asks for the directory that the database is really in", async () => {
  await withTempDir(async (directory) => {
    await Deno.mkdir(`${directory}/data`);
    await Deno.symlink("data/two", `${directory}/one`);
    await Deno.symlink("db", `${directory}/data/two`); // which is not there yet
    const asked: string[] = [];
    const readType: ReadType = (place) => {
      asked.push(place);
      return Promise.resolve(undefined);
    };
    await networkUnder(`${directory}/one`, readType);
    await networkUnder(`${directory}/data/db`, readType);
    assert.deepEqual(asked, [`${directory}/data`, `${directory}/data`]);
  });
});

Deno.test("networkUnder() finds nothing wrong with the disk of this machine", async () => {
  await withTempDir(async (directory) => {
    assert.equal(await networkUnder(`${directory}/db`), undefined);
  });
});

Deno.test("warnOfNetwork() and doctor say what to do about a database on a network, and else nothing", async () => {
  await withTempDir(async (directory) => {
    const path = `${directory}/db`;
    const { log, lines } = recordingLog();
    await warnOfNetwork(path, log, always(0x6969));
    const { level, message, file_system } = JSON.parse(lines[0]!);
    assert.deepEqual([level, file_system], ["warn", "NFS"]);
    assert.match(message, /move DATABASE to a local disk/);
    await warnOfNetwork(path, log, always(0xef53));
    assert.equal(lines.length, 1);

    const found = await checkDisk(path, always(0x6969));
    assert.deepEqual([found.status, found.message], ["warning", "a network file system (NFS)"]);
    assert.match(found.hint!, /move DATABASE to a local disk/);
    assert.equal((await checkDisk(path, always(0xef53))).status, "ok");
  });
});
