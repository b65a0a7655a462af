/** Writes changes of the keys into the storage, sealed, and only onto what they were decided on. */

import type { JWK } from "jose";
import { type Clock, isoTime } from "../base/clock.ts";
import type { Log, LogFields } from "../base/log.ts";
import type { Schedule, ScheduledKey } from "../rotation/policy.ts";
import type { KeyStorage } from "../storage/storage.ts";
import type { HeldKeys } from "./held_keys.ts";

/** A private key that is to join the others. */
export interface NewKey {
  schedule: ScheduledKey;
  /** With the `kid` that verifiers will know it by. */
  jwk: JWK & { kid: string };
}

/** One change of the storage. */
export interface Revision {
  /** New schedules of held keys. */
  reschedule: readonly ScheduledKey[];
  /** Keys that join them. */
  add: readonly NewKey[];
  /** Numbers of rows to delete. */
  remove: readonly (number | string)[];
}

export interface KeyWriterParts {
  held: HeldKeys;
  storage: KeyStorage;
  clock: Clock;
  log: Log;
}

export class KeyWriter {
  readonly #parts: KeyWriterParts;

  constructor(parts: KeyWriterParts) {
    this.#parts = parts;
  }

  /**
   * Gives a private key a row's number that nothing stored and nothing in `others` has. It bears
   * that as its `kid`, too, unless it came with another.
   */
  register(schedule: Schedule, jwk: JWK, others: readonly NewKey[] = []): NewKey {
    const { held, clock } = this.#parts;
    const taken = new Set([
      ...held.snapshot.records.map(({ id }) => String(id)),
      ...held.snapshot.odd.map(({ id }) => id),
      ...held.keys.map(({ kid }) => kid),
      ...others.flatMap((other) => [String(other.schedule.id), other.jwk.kid]),
    ]);
    let id = clock(); // the millisecond of its making, or the first free one after it
    while (taken.has(String(id))) id++;
    return { schedule: { ...schedule, id }, jwk: { ...jwk, kid: jwk.kid ?? String(id) } };
  }

  /**
   * Seals and stores a revision; false when another process changed the keys meanwhile. The held
   * keys are read again by whoever goes on: the change has taken effect, whatever happens then.
   *
   * @throws {DomainError} `storage_unavailable`, with nothing written as far as the storage knows;
   * `key_unreadable` when a row that is to be sealed anew cannot be opened.
   */
  async commit({ reschedule, add, remove }: Revision): Promise<boolean> {
    const { held, storage, log } = this.#parts;
    const { encryption, snapshot } = held;
    const records = new Map(snapshot.records.map((record) => [record.id, record]));
    const put = await Promise.all([
      ...reschedule.map(async (schedule) => {
        const { jwk } = await encryption.open(records.get(schedule.id)!);
        return await encryption.seal(schedule, jwk);
      }),
      ...add.map(({ schedule, jwk }) => encryption.seal(schedule, jwk)),
    ]);
    const kids = new Map<number | string, string>(held.keys.map(({ id, kid }) => [id, kid]));
    if (!await storage.changeKeys(snapshot, { put, remove })) return false;
    for (const schedule of reschedule) {
      log.info("a key was scheduled", { kid: kids.get(schedule.id)!, ...timesOf(schedule) });
    }
    for (const { schedule, jwk } of add) {
      log.info("a key was made", { kid: jwk.kid, ...timesOf(schedule) });
    }
    for (const id of remove) log.info("a key was deleted", { kid: kids.get(id) ?? `row ${id}` });
    return true;
  }
}

function timesOf({ signFrom, signUntil, exp, revokedAt }: Schedule): LogFields {
  return {
    sign_from: isoTime(signFrom),
    sign_until: isoTime(signUntil),
    exp: isoTime(exp),
    ...(revokedAt === undefined ? {} : { revoked_at: isoTime(revokedAt) }),
  };
}
