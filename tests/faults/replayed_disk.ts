/** A directory as a trace has left it at any step: killed there, or without power from there on. */

import { resolve } from "node:path";
import { type Call, CHANGES, fileOf, stringsOf } from "./syscalls.ts";

/**
 * What is left of what was not yet synchronized: everything after a SIGKILL, nothing or any part of
 * it after a loss of power.
 */
export type Loss = "kill" | "power" | "torn";

/** A file, whatever its names are. */
interface Inode {
  bytes: Uint8Array;
  /** What a loss of power leaves of it. */
  synced: Uint8Array;
  /** What was done to it since. */
  since: Write[];
}

interface Write {
  at: number;
  data: Uint8Array;
  /** Cuts it there instead. */
  isEnd?: boolean;
}

/** What SQLite keeps in memory that processes share is lost with them. */
const SHARED_MEMORY = "-shm";

/** The files that outlive the processes that have them open. */
export function lasting(files: ReadonlyMap<string, Uint8Array>): Map<string, Uint8Array> {
  return new Map([...files].filter(([name]) => !name.endsWith(SHARED_MEMORY)));
}

export class ReplayedDisk {
  readonly #directory: string;
  #names: Map<string, Inode>;
  #syncedNames: Map<string, Inode>;

  /** Begins with these files, all of them on the disk. */
  constructor(directory: string, files: ReadonlyMap<string, Uint8Array>) {
    this.#directory = directory;
    this.#names = new Map([...files].map(([name, bytes]) => [name, inodeOf(bytes)]));
    this.#syncedNames = new Map(this.#names);
  }

  /** Does what a call has done; says whether it did something to a file of the directory. */
  apply(call: Call): boolean {
    if (call.result < 0 || !(CHANGES as readonly string[]).includes(call.name)) return false;
    if (call.name === "openat") return this.#open(call);
    if (/^(rename|link|unlink)/.test(call.name)) return this.#rename(call);
    const path = fileOf(call);
    if (path === this.#directory) {
      this.#syncedNames = new Map(this.#names); // nothing else can be done to a directory here
      return true;
    }
    const inode = this.#names.get(this.#nameOf(path));
    if (inode === undefined) return false;
    if (call.name === "fsync" || call.name === "fdatasync") {
      inode.synced = inode.bytes.slice();
      inode.since = [];
    } else write(inode, writeOf(call, inode));
    return true;
  }

  /** The files as they are found after a loss. */
  files(loss: Loss): Map<string, Uint8Array> {
    if (loss === "kill") return mapValues(this.#names, ({ bytes }) => bytes);
    if (loss === "power") return mapValues(this.#syncedNames, ({ synced }) => synced);
    const names = Math.random() < 0.5 ? this.#names : this.#syncedNames;
    return mapValues(names, torn);
  }

  #open(call: Call): boolean {
    const name = this.#pathsOf(call)[0]!;
    if (name === "" || !call.args.includes("O_CREAT")) return false;
    const known = this.#names.get(name);
    if (known === undefined) this.#names.set(name, inodeOf(new Uint8Array()));
    else if (call.args.includes("O_TRUNC")) write(known, cut(0));
    else return false;
    return true;
  }

  #rename(call: Call): boolean {
    const [from, to] = this.#pathsOf(call);
    const inode = this.#names.get(from!);
    if (inode === undefined) return false;
    if (to !== undefined) this.#names.set(to, inode);
    if (!call.name.startsWith("link")) this.#names.delete(from!);
    return true;
  }

  /** The names in the directory that a call speaks of; empty for what lies elsewhere. */
  #pathsOf(call: Call): string[] {
    const [, cwd = this.#directory] = /AT_FDCWD<([^>]*)>/.exec(call.args) ?? [];
    return stringsOf(call).map((bytes) =>
      this.#nameOf(resolve(cwd, new TextDecoder().decode(bytes)))
    );
  }

  #nameOf(path = ""): string {
    const name = path.startsWith(`${this.#directory}/`)
      ? path.slice(this.#directory.length + 1)
      : "";
    return name.endsWith(SHARED_MEMORY) ? "" : name;
  }
}

function inodeOf(bytes: Uint8Array): Inode {
  return { bytes, synced: bytes, since: [] };
}

function writeOf(call: Call, { bytes }: Inode): Write {
  const numbers = call.args.replace(/"(?:[^"\\]|\\.)*"/g, "").split(", ").map(Number);
  if (call.name === "ftruncate") return cut(numbers[1]!);
  const data = stringsOf(call)[0]!.subarray(0, call.result);
  return { data, at: call.name === "pwrite64" ? numbers[3]! : bytes.length };
}

function cut(at: number): Write {
  return { at, data: new Uint8Array(), isEnd: true };
}

function write(inode: Inode, change: Write): void {
  inode.bytes = written(inode.bytes, change);
  inode.since.push(change);
}

function written(bytes: Uint8Array, { at, data, isEnd = false }: Write): Uint8Array {
  const after = new Uint8Array(isEnd ? at : Math.max(bytes.length, at + data.length));
  after.set(bytes.subarray(0, after.length));
  after.set(data, at);
  return after;
}

function torn({ synced, since }: Inode): Uint8Array {
  return since.filter(() => Math.random() < 0.5).reduce(written, synced);
}

function mapValues(
  names: ReadonlyMap<string, Inode>,
  toBytes: (inode: Inode) => Uint8Array,
): Map<string, Uint8Array> {
  return new Map([...names].map(([name, inode]) => [name, toBytes(inode)]));
}
