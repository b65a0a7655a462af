/** What the programs of a language must show: the claims of their rows, one test for each library. */

import assert from "node:assert/strict";
import { ALGORITHM_NAMES } from "../../../lib/keys/algorithms.ts";
import { kidOf } from "../../blackbox/commands.ts";
import { prepare, within } from "./installation.ts";
import { Issuer } from "./issuer.ts";
import type { Keeps, Language, Library, UnknownKid } from "./library.ts";
import { ClientProgram } from "./program.ts";

/** The names of what the server can do wrong on request; each token is good but for that. */
const DEFECTS = [
  "expired",
  "not-yet-valid",
  "unknown-kid",
  "wrong-key",
  "wrong-audience",
  "wrong-issuer",
  "tampered",
  "alg-none",
  "hs256-with-public-key",
];

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
  const directory = await prepare(language);
  const ignore = directory === undefined;
  const issuers = new Map<string, Promise<Issuer>>();
  Deno.test.afterAll(async () => {
    for (const issuer of issuers.values()) await (await issuer)[Symbol.asyncDispose]();
  });
  for (const library of language.libraries) {
    const start = (issuer: Issuer) =>
      new ClientProgram(within(directory!, library.program), directory!, issuer.situation);
    const title = `${library.name} ${library.version} (${language.name})`;
    Deno.test({ name: `${title}: ${claims(library)}`, ignore, fn: () => prove(library, start) });
    for (const alg of library.algorithms === undefined ? [] : ALGORITHM_NAMES) {
      const isKnown = library.algorithms!.includes(alg);
      const name = `${title} ${isKnown ? "verifies" : "refuses"} ${alg}`;
      const fn = async () => {
        if (!issuers.has(alg)) issuers.set(alg, Issuer.start(alg));
        await proveAlgorithm(await issuers.get(alg)!, isKnown, start);
      };
      Deno.test({ name, ignore, fn });
    }
  }
  return directory;
}

type Start = (issuer: Issuer) => ClientProgram;

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
  for (const defect of DEFECTS) {
    const wrong = await issuer.token({ defect });
    assert.equal(await program.verify(wrong), undefined, `a token that is wrong by ${defect}`);
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

async function proveAlgorithm(issuer: Issuer, isKnown: boolean, start: Start): Promise<void> {
  await using program = start(issuer);
  const { CLIENT_ID: sub } = issuer.situation;
  assert.equal(await program.verify(await issuer.token()), isKnown ? sub : undefined);
  assert.equal(await program.verify(await issuer.token({ defect: "tampered" })), undefined);
  await program.end();
}
