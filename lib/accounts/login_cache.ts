/** Logins that have just succeeded, remembered so that a repeat costs no run of Argon2. */

import { Buffer } from "node:buffer";
import type { MonotonicClock } from "../base/clock.ts";

export interface LoginCacheOptions {
  /** For how long a login is remembered after it succeeded last, in milliseconds. */
  ttl: number;
  /** Logins that are remembered at the most; the one that was used longest ago gives way. */
  capacity: number;
  now: MonotonicClock;
}

const HMAC = { name: "HMAC", hash: "SHA-256" } as const;

/** What is looked up where there is no hash: that, too, is the work of one look. */
const NO_HASH = "";

/**
 * Remembers by HMAC-SHA-256 of the stored hash and the password, under a random key that cannot be
 * exported: neither of the two is kept, and a hash that was replaced can never be found again.
 */
export class LoginCache {
  readonly #options: LoginCacheOptions;
  readonly #key: CryptoKey;
  /** When each is forgotten, in the order of these times. */
  readonly #expiries = new Map<string, number>();
  #hits = 0;

  private constructor(options: LoginCacheOptions, key: CryptoKey) {
    this.#options = options;
    this.#key = key;
  }

  static async create(options: LoginCacheOptions): Promise<LoginCache> {
    const key = await crypto.subtle.generateKey(HMAC, false, ["sign"]) as CryptoKey;
    return new LoginCache(options, key);
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
  async find(hashes: readonly string[], password: string): Promise<string | undefined> {
    const now = this.#options.now();
    for (const hash of hashes.length > 0 ? hashes : [NO_HASH]) {
      const mac = await this.#mac(hash, password);
      const expiry = this.#expiries.get(mac);
      if (expiry === undefined || expiry <= now) continue;
      this.#keep(mac, now);
      this.#hits++;
      return hash;
    }
    return undefined;
  }

  /** Remembers that `hash`, as it is stored, is the one of `password`. */
  async remember(hash: string, password: string): Promise<void> {
    const now = this.#options.now();
    this.#keep(await this.#mac(hash, password), now);
    for (const [mac, expiry] of this.#expiries) {
      if (expiry > now && this.#expiries.size <= this.#options.capacity) return;
      this.#expiries.delete(mac);
    }
  }

  #keep(mac: string, now: number): void {
    this.#expiries.delete(mac);
    this.#expiries.set(mac, now + this.#options.ttl);
  }

  async #mac(hash: string, password: string): Promise<string> {
    const bytes = new TextEncoder().encode(JSON.stringify([hash, password]));
    return Buffer.from(await crypto.subtle.sign("HMAC", this.#key, bytes)).toString("latin1");
  }
}
