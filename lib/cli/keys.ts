/** `keys …`: what stands in the key ring, what will become of it, and changing it. */

import { isoTime, numericDate } from "../base/clock.ts";
import { DomainError, keyUnreadable } from "../base/errors.ts";
import type { HeldKey } from "../keys/held_key.ts";
import { type ImportedKey, readPrivateKey } from "../keys/key_import.ts";
import type { KeyDecision } from "../keys/key_changes.ts";
import { KeyRing } from "../keys/key_ring.ts";
import { toPublicPem } from "../keys/signing_key.ts";
import { insertNext, passiveSchedule, revoke, rotateNow } from "../rotation/operations.ts";
import { activeKey, keyState, PUBLICATION_DELAY, type Schedule } from "../rotation/policy.ts";
import { planTimeline } from "../rotation/timeline.ts";
import type { Config } from "../server/config.ts";
import type { OpenedDatabase } from "../server/open.ts";
import { formatTime, type Output, printRows } from "./output.ts";
import { describeCost, isUnannounced, revocationCost } from "./revocation_cost.ts";

/** What the commands on keys work with. */
export interface KeysContext {
  database: OpenedDatabase;
  config: Config;
  output: Output;
}

/** Lists every stored key, the signer marked. */
export async function listKeys({ database, output }: KeysContext, options: { json?: boolean }) {
  const ring = await KeyRing.load(database);
  const now = numericDate(database.clock());
  const signer = activeKey(ring.keys, now);
  const rows = ring.keys.map((key) => ({
    kid: key.kid,
    alg: key.alg,
    state: keyState(key, now),
    signer: key === signer,
    sign_from: neverSigns(key) ? null : isoTime(key.signFrom),
    sign_until: neverSigns(key) ? null : isoTime(key.signUntil),
    exp: isoTime(key.exp),
  }));
  printRows(output, rows, {
    json: options.json,
    columns: {
      "": (row) => row.signer ? "*" : "",
      "KID": (row) => row.kid,
      "ALG": (row) => row.alg,
      "STATE": (row) => row.state,
      "SIGNS FROM": (row) => short(row.sign_from),
      "SIGNS UNTIL": (row) => short(row.sign_until),
      "LEAVES THE JWKS": (row) => row.state === "born expired" ? "never in it" : short(row.exp),
    },
    isStrong: (row) => row.signer,
    empty: "There are no keys yet: start the server, or run jwks-server init",
  });
}

/** Shows what will happen, and what revoking the active key would cost. */
export async function planKeys(
  { database, output }: KeysContext,
  options: { until: number; json?: boolean },
) {
  const ring = await KeyRing.load(database);
  const now = numericDate(database.clock());
  const known = new Map(ring.keys.map((key) => [key.id, key]));
  const timeline = planTimeline(ring.keys, now, now + options.until, ring.policy);
  const cutAt = timeline.cutAt === undefined ? null : isoTime(timeline.cutAt);
  const events = timeline.events.map(({ at, id, upcoming, event }) => {
    const { kid, alg } = id === undefined
      ? { kid: `new key ${upcoming}`, alg: ring.policy.alg }
      : known.get(id)!;
    return { at: isoTime(at), key: kid, alg, event };
  });
  const cost = await revocationCost(database, ring);
  if (options.json) return output.printJson({ events, cut_at: cutAt, if_revoked_now: cost }, 2);
  const words = {
    published: "is published",
    signs: "signs",
    retires: "only verifies",
    leaves: "leaves the JWKS",
    deleted: "is deleted",
  };
  printRows(output, events, {
    json: false,
    columns: {
      AT: (row) => short(row.at),
      KEY: (row) => row.key,
      ALG: (row) => row.alg,
      EVENT: (row) => words[row.event],
    },
    empty: "Nothing happens in this time",
  });
  if (cutAt !== null) output.print(`It goes on like this from ${short(cutAt)}: too much to show`);
  describeCost(cost).forEach(output.print);
}

/** The next key signs from now on. */
export async function rotateKeys({ database, output }: KeysContext, options: { force?: boolean }) {
  const ring = await KeyRing.load(database);
  await ring.change((held, now) => ({
    change: rotateNow(held, now, ring.policy, { force: options.force ?? false }),
  }));
  await ring.maintain();
  const { kid } = await ring.signer();
  output.print(`Key ${kid} signs from now on; the key before it goes on verifying its tokens`);
}

/** A key leaves the JWKS at once and never signs again, whatever else is wrong. */
export async function revokeKey({ database, output }: KeysContext, kid: string) {
  const ring = await KeyRing.load(database);
  const cost = await revocationCost(database, ring);
  await ring.change((held, now) => decideRevocation(ring, held, kid, now));
  output.print(`Key ${kid} is revoked: it has left the JWKS and never signs again`);
  const { cache, revalidation } = PUBLICATION_DELAY;
  output.print(
    `Verifiers that hold the JWKS in a cache go on trusting it until they fetch it again: ` +
      `${cache} seconds if they heed max-age, ${
        cache + revalidation + ring.policy.staleIfError
      } if they ` +
      `use what is stale, too, longer if they heed neither`,
  );
  try {
    await ring.maintain();
  } catch (cause) {
    throw new DomainError(
      "failed",
      `What follows from the revocation could not be done: ${(cause as Error).message}`,
      { cause, hints: ["the key is revoked all the same; see jwks-server doctor"] },
    );
  }
  if (cost?.kid !== kid) return;
  describeCost(cost).forEach(output.print);
  const signer = activeKey(ring.keys, numericDate(database.clock()));
  if (signer === undefined) return; // another process changes the secret: it is told
  output.print(`Key ${signer.kid} signs from now on`);
  if (!isUnannounced(signer, ring.policy)) return;
  output.print("It is new: verifiers may refuse its tokens until they fetch the JWKS again");
}

/** A row that cannot be opened has no state that could be set: it is deleted. */
function decideRevocation(
  ring: KeyRing,
  held: readonly HeldKey[],
  kid: string,
  now: number,
): KeyDecision {
  const isRefused = ring.refused.some(({ id }) => id === kid);
  return isRefused ? { remove: [kid] } : { change: revoke(findKey(held, kid), now) };
}

/** Prints the public half of a key. */
export async function exportKey(
  { database, output }: KeysContext,
  kid: string,
  options: { format: "jwk" | "pem" },
) {
  const { publicJwk } = findKey((await KeyRing.load(database)).keys, kid);
  if (options.format === "jwk") return output.printJson(publicJwk, 2);
  (await toPublicPem(publicJwk)).trimEnd().split("\n").forEach(output.print);
}

/** A private key from another issuer joins the ring. */
export async function importKey(
  { database, output }: KeysContext,
  text: string,
  options: { as: "passive" | "next"; verifyFor: number; kid?: string; alg?: string },
) {
  const jwk = await readPrivateKey(text, options);
  const ring = await KeyRing.load(database);
  await ring.change((held, now) => {
    assertNew(ring, held, jwk);
    if (options.as === "passive") {
      return { add: { schedule: passiveSchedule(now, options.verifyFor), jwk } };
    }
    const { schedule, moved } = insertNext(held, now, ring.policy);
    return { change: moved, add: { schedule, jwk } };
  });
  await ring.maintain();
  const key = findKey(ring.keys, jwk.kid);
  const fate = options.as === "passive"
    ? "it only verifies"
    : `it signs from ${formatTime(key.signFrom)}`;
  output.print(`Key ${jwk.kid} (${jwk.alg}) is in the JWKS: ${fate}, until ${formatTime(key.exp)}`);
}

function findKey(keys: readonly HeldKey[], wanted: string): HeldKey {
  const key = keys.find(({ kid }) => kid === wanted);
  if (key !== undefined) return key;
  throw new DomainError("not_found", `There is no key ${wanted}`, {
    hints: ["jwks-server keys list shows them"],
  });
}

/** A row that cannot be opened could be that of the same key, or of the same kid. */
function assertNew(
  { refused: [refused] }: KeyRing,
  keys: readonly HeldKey[],
  { kid, n, x, y, pub }: ImportedKey,
): void {
  if (refused !== undefined) throw keyUnreadable(refused.id, refused.reason);
  if (keys.some((key) => key.kid === kid)) {
    throw new DomainError("conflict", `There is a key ${kid} already`);
  }
  const same = keys.find(({ publicJwk: jwk }) =>
    jwk.n === n && jwk.x === x && jwk.y === y && jwk.pub === pub
  );
  if (!same) return;
  throw new DomainError("conflict", `This key is in the ring already, as ${same.kid}`);
}

/** A key that was imported only to verify. */
function neverSigns({ signUntil }: Schedule): boolean {
  return signUntil === passiveSchedule(0, 0).signUntil;
}

function short(time: string | null): string {
  return time === null ? "never" : formatTime(Date.parse(time) / 1000);
}
