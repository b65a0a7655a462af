/** How long a library keeps keys, and waits before it looks for new ones: its clock is moved. */

import assert from "node:assert/strict";
import { MovedClock } from "../../faults/moved_clock.ts";
import { Issuer } from "./issuer.ts";
import type { ClientProgram } from "./program.ts";

/** Starts the program of a library, with more in its environment if need be. */
export type Start = (issuer: Issuer, env?: Record<string, string>) => ClientProgram;

/** What a test may take of the true time between two steps, in seconds. */
const MARGIN = 20;

/** The key set is asked for once in `seconds`, and not before. */
export async function proveKeeping(seconds: number, start: Start): Promise<void> {
  await using issuer = await Issuer.start();
  const [clock, env] = await clockFor(issuer);
  await using program = start(issuer, env);
  const { CLIENT_ID: sub } = issuer.situation;
  const token = await issuer.token({ expires_in: String(2 * seconds + 3600) });
  const asksFor = async (): Promise<number> => {
    const before = await issuer.keySetRequests();
    assert.equal(await program.verify(token), sub, program.said);
    return await issuer.keySetRequests() - before;
  };
  assert.equal(await asksFor(), 1, "at first");
  await pass(program, clock, seconds - MARGIN);
  assert.equal(await asksFor(), 0, "while the keys are kept");
  await pass(program, clock, seconds + 1);
  assert.equal(await asksFor(), 1, "after that");
  await program.end();
}

/** A token of a key that appeared after the key set was fetched is taken after `seconds`. */
export async function proveWaiting(seconds: number, start: Start): Promise<void> {
  await using issuer = await Issuer.start();
  const [clock, env] = await clockFor(issuer);
  await using program = start(issuer, env);
  const { CLIENT_ID: sub } = issuer.situation;
  assert.equal(await program.verify(await issuer.token()), sub, program.said);
  await issuer.rotate();
  await issuer.rotate("--force");
  const token = await issuer.token();
  assert.equal(await program.verify(token), undefined, "at first");
  await pass(program, clock, seconds + 1);
  assert.equal(await program.verify(token), sub, program.said);
  await program.end();
}

/** Moves the clock; what the program had open runs out by that, and fails with a token that is none. */
async function pass(program: ClientProgram, clock: MovedClock, seconds: number): Promise<void> {
  await clock.move(seconds);
  assert.equal(await program.verify("none"), undefined);
}

/** A clock, and what makes a program go by it, in what it measures as well as in the time of day. */
async function clockFor(issuer: Issuer): Promise<[MovedClock, Record<string, string>]> {
  const clock = await MovedClock.at(`${issuer.directory}/clock`);
  return [clock, { ...clock.env, FAKETIME_DONT_FAKE_MONOTONIC: "0" }];
}
