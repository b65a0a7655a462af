/** Writes changes of the keys into the storage, sealed, and only onto what they were decided on. */

import type { JWK } from "jose";
import { type Clock, isoTime } from "../base/clock.ts";
import type { HeldKeys } from "./held_keys.ts";
import type { KeyEncryption } from "../sealing/key_encryption.ts";
import type { Log } from "../base/log.ts";
import type { Schedule, ScheduledKey } from "../rotation/policy.ts";
import type { Storage } from "../storage/storage.ts";

/** One change of the storage: new schedules, the private keys that are new, and rows to delete. */
export interface Revision {
  schedules: readonly ScheduledKey[];
  added: ReadonlyMap<number, JWK>;
  remove: readonly number[];
}

export interface KeyWriterParts {
  held: HeldKeys;
  storage: Storage;
  encryption: KeyEncryption;
  clock: Clock;
  log: Log;
}

export class KeyWriter {
  readonly #parts: KeyWriterParts;

  constructor(parts: KeyWriterParts) {
    this.#parts = parts;
  }

  /**
   * Gives a private key that joins the others a `kid` of its own, which it also bears unless it came
   * with another, and puts it into `added`.
   */
  join(added: Map<number, JWK>, schedule: Schedule, jwk: JWK): ScheduledKey {
    const { held, clock } = this.#parts;
    const isTaken = (kid: number) =>
      added.has(kid) ||
      held.keys.some((key) => key.kid === kid || key.signing.kid === String(kid));
    let kid = clock(); // the millisecond of its making, or the first free one after it
    while (isTaken(kid)) kid++;
    added.set(kid, { kid: String(kid), ...jwk });
    return { kid, ...schedule };
  }

  /** Seals and stores a revision; false when another process changed the keys meanwhile. */
  async commit({ schedules, added, remove }: Revision): Promise<boolean> {
    const { held, storage, encryption, log } = this.#parts;
    const { snapshot } = held;
    const put = await Promise.all(schedules.map(async (schedule) => {
      const record = snapshot.records.find(({ kid }) => kid === schedule.kid);
      const jwk = added.get(schedule.kid) ?? (await encryption.open(record!)).jwk;
      return await encryption.seal(schedule, jwk);
    }));
    if (!await storage.changeKeys(snapshot, { put, remove })) return false;
    for (const { kid, ...times } of schedules) {
      log.info("a key was scheduled", { kid: String(kid), ...isoTimes(times) });
    }
    for (const kid of remove) log.info("an expired key was deleted", { kid: String(kid) });
    await held.reload();
    return true;
  }
}

function isoTimes({ signFrom, signUntil, exp }: Schedule): Record<string, string> {
  return { sign_from: isoTime(signFrom), sign_until: isoTime(signUntil), exp: isoTime(exp) };
}
