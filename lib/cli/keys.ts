/** `keys …`: what stands in the key ring, what will become of it, and changing it. */

import { exportSPKI, importJWK } from "jose";
import { PUBLICATION_DELAY } from "../server/config.ts";
import { type Clock, isoTime, numericDate } from "../base/clock.ts";
import { CommandError, EXIT } from "../base/errors.ts";
import type { HeldKey } from "../keys/held_keys.ts";
import { type ImportedKey, readPrivateKey } from "../keys/key_import.ts";
import { announcedAt, insertNext, passiveSchedule, revoke, rotateNow } from "../rotation/operations.ts";
import { KeyRing } from "../keys/key_ring.ts";
import { planTimeline } from "../rotation/timeline.ts";
import { activeKey, keyState, type RotationPolicy, type Schedule } from "../rotation/policy.ts";
import type { Storage } from "../storage/storage.ts";
import type { OpenedKeys } from "../server/open.ts";
import { formatTime, type Output, printRows } from "./output.ts";

/** What the commands on keys work with. */
export interface KeysContext {
  keys: OpenedKeys;
  output: Output;
}

/** Lists every stored key, the signer marked. */
export async function listKeys({ keys, output }: KeysContext, options: { json?: boolean }) {
  const ring = await KeyRing.load(keys);
  const now = numericDate(keys.clock());
  const signer = activeKey(ring.keys, now);
  const rows = ring.keys.map((key) => ({
    kid: key.signing.kid,
    alg: key.signing.alg,
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
    empty: "There are no keys yet: start the server",
  });
}

/** Shows what will happen, and what revoking the active key would cost. */
export async function planKeys(
  { keys, output }: KeysContext,
  options: { until: number; json?: boolean },
) {
  const ring = await KeyRing.load(keys);
  const now = numericDate(keys.clock());
  const events = planTimeline(ring.keys, now, now + options.until, keys.policy).map((event) => ({
    at: isoTime(event.at),
    key: event.kid === undefined ? `new key ${event.upcoming}` : nameOf(ring.keys, event.kid),
    event: event.event,
  }));
  const cost = await revocationCost(keys.storage, ring.keys, keys.clock, keys.policy);
  if (options.json) {
    return output.print(JSON.stringify({ events, if_revoked_now: cost }, null, 2));
  }
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
      EVENT: (row) => words[row.event],
    },
    empty: "Nothing happens in this time",
  });
  output.print(describeCost(cost));
}

/** The next key signs from now on. */
export async function rotateKeys({ keys, output }: KeysContext, options: { force?: boolean }) {
  const ring = await KeyRing.load(keys);
  await ring.change((held, now) => ({
    change: rotateNow(held, now, keys.policy, { force: options.force ?? false }),
  }));
  const { kid } = await ring.signer();
  output.print(`Key ${kid} signs from now on; the key before it goes on verifying its tokens`);
}

/** A key leaves the JWKS at once and never signs again. */
export async function revokeKey({ keys, output }: KeysContext, kid: string) {
  const ring = await KeyRing.load(keys);
  const cost = await revocationCost(keys.storage, ring.keys, keys.clock, keys.policy);
  await ring.change((held, now) => ({ change: revoke(findKey(held, kid), now) }));
  const signer = activeKey(ring.keys, numericDate(keys.clock()))!; // a change leaves one
  output.print(`Key ${kid} is revoked: it has left the JWKS and never signs again`);
  output.print(
    `Verifiers that hold the JWKS in a cache go on trusting it until they fetch it again: ` +
      `${PUBLICATION_DELAY.cache} seconds if they heed max-age, longer if they do not`,
  );
  if (cost?.kid !== kid) return;
  output.print(describeCost(cost));
  output.print(`Key ${signer.signing.kid} signs from now on`);
  if (announcedAt(signer, keys.policy) <= signer.signFrom) return;
  output.print("It is new: verifiers may refuse its tokens until they fetch the JWKS again");
}

/** The public half of a key. */
export async function exportKey(
  { keys, output }: KeysContext,
  kid: string,
  options: { format: "jwk" | "pem" },
) {
  const { publicJwk, signing } = findKey((await KeyRing.load(keys)).keys, kid);
  if (options.format === "jwk") return output.print(JSON.stringify(publicJwk, null, 2));
  const publicKey = await importJWK(publicJwk, signing.alg, { extractable: true }) as CryptoKey;
  output.print((await exportSPKI(publicKey)).trimEnd());
}

/** A private key from another issuer joins the ring. */
export async function importKey(
  { keys, output }: KeysContext,
  text: string,
  options: { as: "passive" | "next"; verifyFor: number; kid?: string; alg?: string },
) {
  const jwk = await readPrivateKey(text, options);
  const ring = await KeyRing.load(keys);
  await ring.change((held, now) => {
    assertNew(held, jwk);
    if (options.as === "passive") {
      return { change: [], add: { schedule: passiveSchedule(now, options.verifyFor), jwk } };
    }
    const { schedule, moved } = insertNext(held, now, keys.policy);
    return { change: moved, add: { schedule, jwk } };
  });
  const key = findKey(ring.keys, jwk.kid);
  const fate = options.as === "passive"
    ? "it only verifies"
    : `it signs from ${formatTime(key.signFrom)}`;
  output.print(`Key ${jwk.kid} (${jwk.alg}) is in the JWKS: ${fate}, until ${formatTime(key.exp)}`);
}

/** What revoking the active key now would break. */
interface RevocationCost {
  kid: string;
  /** Tokens that it may have signed and that have not ended; expired ones on request included. */
  tokens: number;
  /** When the last of them ends. */
  until: string | null;
}

async function revocationCost(
  storage: Storage,
  keys: readonly HeldKey[],
  clock: Clock,
  { tokenTtl }: RotationPolicy,
): Promise<RevocationCost | null> {
  const now = numericDate(clock());
  const active = activeKey(keys, now);
  if (active === undefined) return null;
  const since = Math.max(active.signFrom, now - tokenTtl);
  const { count, newest } = await storage.countAuthentications(since * 1000);
  const until = newest && isoTime(numericDate(Date.parse(`${newest}Z`)) + tokenTtl);
  return { kid: active.signing.kid, tokens: count, until };
}

function describeCost(cost: RevocationCost | null): string {
  if (cost === null) return "No key signs now";
  if (cost.until === null) return `No token of key ${cost.kid} is valid any more`;
  const tokens = cost.tokens === 1 ? "1 token" : `${cost.tokens} tokens`;
  return `Revoking key ${cost.kid} makes at most ${tokens} unverifiable that would be valid until ${
    short(cost.until)
  }`;
}

function findKey(keys: readonly HeldKey[], kid: string): HeldKey {
  const key = keys.find(({ signing }) => signing.kid === kid);
  if (key !== undefined) return key;
  throw new CommandError(EXIT.failed, `there is no key ${kid}`, [
    "jwks-server keys list shows them",
  ]);
}

function assertNew(keys: readonly HeldKey[], { kid, n, x, y, pub }: ImportedKey): void {
  const twin = keys.find(({ signing }) => signing.kid === kid);
  if (twin) throw new CommandError(EXIT.failed, `there is a key ${kid} already`);
  const same = keys.find(({ publicJwk: jwk }) =>
    jwk.n === n && jwk.x === x && jwk.y === y && jwk.pub === pub
  );
  if (!same) return;
  throw new CommandError(EXIT.failed, `this key is in the ring already, as ${same.signing.kid}`);
}

/** A key that was imported only to verify. */
function neverSigns({ signUntil }: Schedule): boolean {
  return signUntil === passiveSchedule(0, 0).signUntil;
}

function nameOf(keys: readonly HeldKey[], kid: number): string {
  return keys.find((key) => key.kid === kid)?.signing.kid ?? String(kid);
}

function short(time: string | null): string {
  return time === null ? "never" : formatTime(Date.parse(time) / 1000);
}
