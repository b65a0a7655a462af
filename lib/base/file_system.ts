/** Which kind of file system a path lies on, where the kernel tells. */

import { statfs } from "node:fs";
import { promisify } from "node:util";
import { placeOf } from "./disk.ts";

/**
 * File systems that are, or may be, another machine's, by their numbers (statfs(2)). What is behind
 * FUSE and 9P is not told: sshfs, an object store, or a directory of a virtual machine's host.
 */
const NETWORKS: Record<number, string> = {
  0x6969: "NFS",
  0x517b: "SMB",
  0xff534d42: "CIFS",
  0xfe534d42: "SMB2",
  0x65735546: "FUSE",
  0x01021997: "9P",
  0x00c36400: "Ceph",
  0x0bd00bd0: "Lustre",
  0x5346414f: "AFS",
  0x6b414653: "AFS",
  0x73757245: "Coda",
};

/** What to do about one under a database (https://sqlite.org/wal.html, §1). */
export const NETWORK_ADVICE =
  "SQLite's write-ahead log and locks do not work over a network: move DATABASE to a local disk";

/** Tells the number of the file system of a directory; `undefined` where that is not to be had. */
export type ReadType = (directory: string) => Promise<number | undefined>;

/** The network file system that the file at `path` lies on or will; `undefined` for a local one. */
export async function networkUnder(
  path: string,
  readType: ReadType = statType,
): Promise<string | undefined> {
  const type = await readType(placeOf(path));
  return type === undefined ? undefined : NETWORKS[type >>> 0]; // it may be told with a sign
}

async function statType(directory: string): Promise<number | undefined> {
  if (Deno.build.os !== "linux") return undefined; // the numbers are Linux's
  const found = await promisify(statfs)(directory).catch(() => undefined);
  return found === undefined ? undefined : Number(found.type);
}
