/** What the programs of a language must show: the claims of their rows, one test for each library. */

import assert from "node:assert/strict";
import { ALGORITHM_NAMES } from "../../../lib/keys/algorithms.ts";
import { DEFECT_NAMES } from "../../../lib/tokens/defects.ts";
import { kidOf } from "../../blackbox/commands.ts";
import { canMoveClocks } from "../../faults/moved_clock.ts";
import { proveKeeping, proveWaiting, type Start } from "./durations.ts";
import { prepare, within } from "./installation.ts";
import { Issuer } from "./issuer.ts";
import type { Keeps, Language, Library, UnknownKid } from "./library.ts";
import { ClientProgram } from "./program.ts";

/** Whether a library that keeps this much asks for the key set to verify by a key published before. */
const ASKS_FOR_PUBLISHED: Record<Keeps, boolean> = {
  "set": false,
  "key": true,
  "nothing": true,
  "no keys": false,
};

/** Whether a token is taken at once whose `kid` appeared after the key set was fetched. */
const TAKES_UNPUBLISHED: Record<UnknownKid, boolean> = {
  fetches: true,
  waits: false,
  refuses: false,
};

/**
 * Installs what the programs of a language need, and registers their tests. Gives the directory in
 * which they are started; `undefined` when they are skipped.
 */
export async function proveLanguage(language: Language): Promise<string | undefined> {
  const directory = await prepare(language, `the clients in ${language.name}`);
  const ignore = directory === undefined;
  const issuers = new Issuers();
  Deno.test.afterAll(() => issuers[Symbol.asyncDispose]());
  for (const library of language.libraries) {
    const start: Start = ({ situation }, env = {}) =>
      new ClientProgram(within(directory!, library.program), directory!, { ...situation, ...env });
    const title = `${library.name} ${library.version} (${language.name})`;
    const fn = () => prove(library, start);
    Deno.test({ name: `${title} ${claims(library)}`, ignore, fn });
    const { keepsFor, waitsFor, algorithms } = library;
    if (keepsFor !== undefined) {
      const name = `${title} keeps keys for ${keepsFor} s`;
      const fn = () => proveKeeping(keepsFor, start);
      Deno.test({ name, ignore: ignore || !canMoveClocks, fn });
    }
    if (waitsFor !== undefined) {
      const name = `${title} asks for unknown keys again after ${waitsFor} s`;
      const fn = () => proveWaiting(waitsFor, start);
      Deno.test({ name, ignore: ignore || !canMoveClocks, fn });
    }
    if (algorithms !== undefined) {
      const name = `${title} verifies ${algorithms.join(", ")} and no other algorithm`;
      Deno.test({ name, ignore, fn: () => proveAlgorithms(algorithms, issuers, start) });
    }
  }
  return directory;
}

/** A server for each algorithm, started when it is needed. */
class Issuers implements AsyncDisposable {
  readonly #started = new Map<string, Issuer>();

  async of(alg: string): Promise<Issuer> {
    const issuer = this.#started.get(alg) ?? await Issuer.start(alg);
    this.#started.set(alg, issuer);
    return issuer;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const issuer of this.#started.values()) await issuer[Symbol.asyncDispose]();
  }
}

function claims({ grants, unknownKid }: Library): string {
  const got = grants ? "gets tokens, tells" : "tells";
  const reach = TAKES_UNPUBLISHED[unknownKid] ? "any" : "an announced";
  return `${got} right from wrong, and survives ${reach} rotation`;
}

async function prove(library: Library, start: Start): Promise<void> {
  await using issuer = await Issuer.start();
  await using program = start(issuer);
  const sub = issuer.situation.CLIENT_ID;
  const obtain = async (): Promise<string> => {
    const own = await program.token();
    assert.equal(own !== undefined, library.grants, "gets tokens by itself");
    return own ?? await issuer.token();
  };

  const first = await obtain();
  assert.equal(await program.verify(first), sub, "a good token");
  for (const defect of DEFECT_NAMES) {
    const wrong = await issuer.token({ defect });
    const seen = library.overlooks?.includes(defect) ? sub : undefined;
    assert.equal(await program.verify(wrong), seen, `a token that is wrong by ${defect}`);
  }
  assert.equal(await program.verify(first), sub, "a good token after the wrong ones");

  const announced = await issuer.rotate();
  const second = await obtain();
  assert.deepEqual([kidOf(second), kidOf(first) === announced], [announced, false]);
  const requests = await issuer.keySetRequests();
  assert.equal(await program.verify(second), sub, "a token of the key that was published before");
  const hasAsked = await issuer.keySetRequests() > requests;
  assert.equal(hasAsked, ASKS_FOR_PUBLISHED[library.keeps], "asks for the key set");
  assert.equal(await program.verify(first), sub, "an older token");

  const unannounced = await issuer.rotate("--force");
  const third = await obtain();
  assert.equal(kidOf(third), unannounced);
  const expected = TAKES_UNPUBLISHED[library.unknownKid] ? sub : undefined;
  assert.equal(await program.verify(third), expected, "a token of a key that is new to it");
  assert.equal(await program.verify(second), sub, "an older token after that");
  await program.end();
}

async function proveAlgorithms(
  algorithms: readonly string[],
  issuers: Issuers,
  start: Start,
): Promise<void> {
  for (const alg of ALGORITHM_NAMES) {
    const issuer = await issuers.of(alg);
    await using program = start(issuer);
    const expected = algorithms.includes(alg) ? issuer.situation.CLIENT_ID : undefined;
    assert.equal(await program.verify(await issuer.token()), expected, alg);
    const tampered = await issuer.token({ defect: "tampered" });
    assert.equal(await program.verify(tampered), undefined, `${alg}, tampered`);
    await program.end();
  }
}
