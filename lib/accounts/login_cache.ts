/** Logins that have just succeeded, remembered so that a repeat costs no run of Argon2. */

import { createHmac, randomBytes } from "node:crypto";
import type { MonotonicClock } from "../base/clock.ts";

export interface LoginCacheOptions {
  /** For how long a login is remembered after it succeeded last, in milliseconds. */
  ttl: number;
  /** Logins that are remembered at the most; the one that was used longest ago gives way. */
  capacity: number;
  now: MonotonicClock;
}

const HASH = "sha256";
const KEY_BYTES = 32;

/** What is looked up where there is no hash: that, too, is the work of one look. */
const NO_HASH = "";

/**
 * Remembers by HMAC-SHA-256 of the stored hash and the password, under a random key that never
 * leaves this object: neither of the two is kept, and a hash that was replaced can never be found
 * again. (Node's HMAC takes 6 µs; that of WebCrypto, with its way to another thread and back, as
 * long as the signature of the token.)
 */
export class LoginCache {
  readonly #options: LoginCacheOptions;
  readonly #key = randomBytes(KEY_BYTES);
  /** When each is forgotten, in the order of these times. */
  readonly #expiries = new Map<string, number>();
  #hits = 0;

  constructor(options: LoginCacheOptions) {
    this.#options = options;
  }

  /** How many logins are held in memory. */
  get size(): number {
    return this.#expiries.size;
  }

  /** How often a login was found. */
  get hits(): number {
    return this.#hits;
  }

  /** Which of `hashes` was found to be that of `password` a short while ago. */
  find(hashes: readonly string[], password: string): string | undefined {
    const now = this.#options.now();
    for (const hash of hashes.length > 0 ? hashes : [NO_HASH]) {
      const mac = this.#mac(hash, password);
      const expiry = this.#expiries.get(mac);
      if (expiry === undefined || expiry <= now) continue;
      this.#keep(mac, now);
      this.#hits++;
      return hash;
    }
    return undefined;
  }

  /** Remembers that `hash`, as it is stored, is the one of `password`. */
  remember(hash: string, password: string): void {
    const now = this.#options.now();
    this.#keep(this.#mac(hash, password), now);
    for (const [mac, expiry] of this.#expiries) {
      if (expiry > now && this.#expiries.size <= this.#options.capacity) return;
      this.#expiries.delete(mac);
    }
  }

  #keep(mac: string, now: number): void {
    this.#expiries.delete(mac);
    this.#expiries.set(mac, now + this.#options.ttl);
  }

  #mac(hash: string, password: string): string {
    const text = JSON.stringify([hash, password]);
    return createHmac(HASH, this.#key).update(text).digest("base64");
  }
}
