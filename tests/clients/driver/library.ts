/**
 * Libraries that the server was not made with, each in a program of its own: what a language's
 * directory says of them, and how the driver talks to a program.
 *
 * A program is started with ISSUER, CLIENT_ID, CLIENT_SECRET, AUDIENCE and ALG (the algorithm that
 * it expects) in its environment. It reads one command a line and answers each with one line:
 *
 *     token           →  token <compact JWT>, got by the library's own client credentials grant, with
 *                        discovery where it has that; `unsupported` where it has no such grant
 *     verify <JWT>    →  valid <sub>, or invalid <the reason>
 *
 * `error <text>` is anything unforeseen. The end of its input ends it, with exit code 0. It uses its
 * library in the way that the library's documentation shows, with the default cache of keys, which
 * lives as long as the program does: the keys are rotated in the middle of the conversation.
 *
 * To add a language, make a directory beside this one with the programs, the files that pin what
 * they need, and a `<language>_test.ts` that gives `proveLanguage` a `Language`, whose libraries are
 * rows of data. To add a library, write its program and its row.
 */

import type { DefectName } from "../../../lib/tokens/defects.ts";

/** What programs need before they can be started. */
export interface Installation {
  name: string;
  /** Its directory, as a `file:` URL that ends with a slash. */
  directory: URL;
  /** Commands that must succeed, or the programs are skipped. */
  tools: readonly Command[];
  /** The files that say what is installed, below `directory`: what they hold names its cache. */
  pins: readonly string[];
  /** Run once for what `pins` hold, in a copy of `directory` outside of the repository. */
  install: readonly Command[];
  /** Run each time in that copy; programs that were not changed should take no time. */
  build?: readonly Command[];
  /** Fails when the registry cannot be reached: a failed `install` is then skipped. */
  reach: Command;
}

/** A language and its libraries. */
export interface Language extends Installation {
  libraries: readonly Library[];
}

/** A program and its arguments. A path to a program that begins with `./` is one in the copy. */
export type Command = readonly [string, ...string[]];

/** A library, and what its program must show. */
export interface Library {
  /** As people know it. */
  name: string;
  /** What is installed, read out of the files that pin it. */
  version: string;
  program: Command;
  /** Whether it gets tokens by itself. */
  grants: boolean;
  /** What it keeps of the keys by default. */
  keeps: Keeps;
  /** What it does by default about a `kid` that it does not know. */
  unknownKid: UnknownKid;
  /** For how long it keeps that, in seconds, when that is to be shown by a clock that is moved. */
  keepsFor?: number;
  /** For how long it waits at most with an unknown `kid`, in seconds, when that is to be shown. */
  waitsFor?: number;
  /** What can be wrong with a token without its noticing. */
  overlooks?: readonly DefectName[];
  /** The algorithms that it verifies, when that is to be shown of each one. */
  algorithms?: readonly string[];
}

/**
 * `set`: the keys that it has fetched, so that it needs no request for a key that was published
 * then. `key`: each key that it has used; for any other one it fetches the set. `nothing`: it
 * fetches the set each time. `no keys`: it asks the server about the token instead.
 */
export type Keeps = "set" | "key" | "nothing" | "no keys";

/**
 * `fetches`: it fetches the set anew, whenever that was last done. `waits`: it does not do so for a
 * while after it was last done, and refuses the token meanwhile. `refuses`: it never does.
 */
export type UnknownKid = "fetches" | "waits" | "refuses";
