/**
 * The key ring: which key signs, which are published, and what must be done about it. The storage
 * has the last word: every change is decided on what it holds, prepared outside any transaction,
 * and applied only if it still holds just that. This room also makes, imports and publishes keys;
 * it imports `lib/sealing`, `lib/rotation`, `lib/storage` and `lib/base`.
 */

import { type Clock, numericDate } from "../base/clock.ts";
import { DomainError, isDomainError } from "../base/errors.ts";
import { errorFields } from "../base/log.ts";
import { bornExpiredKey, publishedKeys, type Schedule } from "../rotation/policy.ts";
import type { OddRow } from "../storage/storage.ts";
import type { SigningAlgorithm } from "./algorithms.ts";
import type { HeldKey } from "./held_key.ts";
import { HeldKeys, type HeldKeysParts } from "./held_keys.ts";
import { type Decide, KeyChanges } from "./key_changes.ts";
import type { KeyPolicy } from "./key_policy.ts";
import type { KeyPool } from "./key_pool.ts";
import { preparePublishedSet, type PublishedSet } from "./published_set.ts";
import { SharedPolicy } from "./shared_policy.ts";
import type { PrivateJwk, SigningKey } from "./signing_key.ts";

/** What the key ring works with. */
export interface KeyRingParts extends Omit<HeldKeysParts, "isStrict"> {
  /** Makes new private keys. */
  pool: KeyPool<SigningAlgorithm, PrivateJwk>;
  /** The policy that this process is configured with. */
  policy: KeyPolicy;
  /** The variables that it states, when the others are not its say; else all of them are. */
  stated?: ReadonlySet<string>;
  clock: Clock;
}

/**
 * For how long what is known of the keys does without asking a storage that is far away, in
 * milliseconds: twice as long as the pause between two rounds of `maintain`, which ask.
 */
const KNOWN_FOR = 2000;

/** A key to sign with now; a token must end by `exp` (seconds since the epoch). */
export type Signer = SigningKey & Pick<Schedule, "exp">;

/** What is said to who asks for an expired token where there are none. */
export function expiredTokensOff(): DomainError {
  return new DomainError("invalid_request", "Expired tokens are switched off");
}

export class KeyRing {
  readonly #parts: KeyRingParts;
  readonly #held: HeldKeys;
  readonly #changes: KeyChanges;
  #published: { of: readonly HeldKey[]; set: PublishedSet } | undefined;
  #maintenance: Promise<void> = Promise.resolve();
  readonly #policy: SharedPolicy;
  readonly #isServing: boolean;

  private constructor(parts: KeyRingParts, { isServing }: { isServing: boolean }) {
    this.#parts = parts;
    this.#held = new HeldKeys({ ...parts, isStrict: isServing });
    this.#policy = new SharedPolicy({ ...parts, held: this.#held });
    this.#changes = new KeyChanges({ ...parts, held: this.#held, policy: this.#policy });
    this.#isServing = isServing;
  }

  /**
   * Opens every stored key, makes this process's policy that of the storage, and returns as soon as
   * a key can sign, which on a new storage is the first one to be finished; `maintain` makes the
   * others. A storage that holds keys and cannot be written now is served as it is.
   *
   * @throws {DomainError} `key_unreadable` when a stored key is not as it was sealed,
   * `secret_unusable` when the secret was changed just now, `storage_unavailable` when there is
   * nothing to serve.
   */
  static async open(parts: KeyRingParts): Promise<KeyRing> {
    const ring = new KeyRing(parts, { isServing: true });
    await ring.#held.reload();
    try {
      await ring.#policy.adopt();
      while (ring.#active() === undefined && await ring.#changes.step()) await ring.#held.refresh();
    } catch (error) {
      if (!isDomainError(error, "storage_unavailable") || ring.keys.length === 0) throw error;
      parts.log.warn("the server starts, but the database cannot be written", errorFields(error));
    }
    return ring;
  }

  /**
   * Opens the stored keys and changes nothing; the policy is the one in the storage. Rows that cannot
   * be opened are left aside (see `refused`): a command goes on with the rest.
   */
  static async load(parts: KeyRingParts): Promise<KeyRing> {
    const ring = new KeyRing(parts, { isServing: false });
    await ring.#held.reload();
    ring.#policy.follow();
    return ring;
  }

  /** How often a key had to start signing that no verifier could know. */
  get emergencies(): number {
    return this.#changes.emergencies;
  }

  /** The opened keys in the order in which they were made. */
  get keys(): readonly HeldKey[] {
    return this.#held.keys;
  }

  /** The rows that cannot be opened. */
  get refused(): readonly OddRow[] {
    return this.#held.refused;
  }

  /** The policy that the keys are kept by: the storage's, which all its processes share. */
  get policy(): KeyPolicy {
    return this.#policy.value;
  }

  /** How this process is configured otherwise than the storage's policy says. */
  get policyDifferences(): string[] {
    return this.#policy.differences;
  }

  /** The check value of the secret that this process has: by it others tell whether it is theirs. */
  get check(): Uint8Array {
    return this.#held.encryption.record.check;
  }

  /** What is known of the keys: the storage's `revision()` when they were read. */
  get revision(): number {
    return this.#held.snapshot.revision;
  }

  /**
   * Learns what the keys are in that revision, or a later one.
   *
   * @throws {DomainError} `storage_unavailable` when the storage cannot be asked.
   */
  async catchUp(revision: number): Promise<void> {
    if (revision !== this.revision) await this.#held.reload();
  }

  /**
   * The one key that signs now. A change that another process has made may be seen `KNOWN_FOR`
   * later: who gives something out that was signed asks afterwards whether `revision` still is.
   *
   * @throws {DomainError} `storage_unavailable` when the storage cannot be asked, `overloaded` when
   * no key can sign just now.
   */
  async signer(): Promise<Signer> {
    return await this.#signerOf(() => this.#active());
  }

  /**
   * The key whose tokens are expired and whose public half is never published.
   *
   * @throws {DomainError} `invalid_request` when expired tokens are switched off; otherwise as
   * `signer` does.
   */
  async expiredSigner(): Promise<Signer> {
    if (!this.policy.expiredTokens) {
      throw expiredTokensOff();
    }
    return await this.#signerOf(() => bornExpiredKey(this.keys, this.#now()));
  }

  async #signerOf(find: () => HeldKey | undefined): Promise<Signer> {
    await this.#held.refresh(KNOWN_FOR);
    if (find() === undefined) await this.maintain();
    const key = find();
    if (key !== undefined) return key;
    throw new DomainError("overloaded", "No key can sign just now", { retryAfter: 1 });
  }

  /**
   * The keys whose tokens count now, as `signer` sees them.
   *
   * @throws {DomainError} `storage_unavailable` when the storage cannot be asked.
   */
  async verifying(): Promise<readonly HeldKey[]> {
    await this.#held.refresh(KNOWN_FOR);
    return publishedKeys(this.keys, this.#now());
  }

  /** The JWK set as of now, from memory; `undefined` when no key can be published. */
  published(): PublishedSet | undefined {
    const now = this.#now();
    const known = this.#published;
    if (known?.of === this.keys && known.set.from <= now && now < known.set.until) return known.set;
    const set = preparePublishedSet(this.keys, now);
    this.#published = set && { of: this.keys, set };
    return set;
  }

  /**
   * Brings the keys in line with the policy and the clock. One run at a time; others wait.
   *
   * @throws {DomainError} `storage_unavailable`; what was done by then stays done, and the next run
   * goes on from there. Whatever the generation of a key fails with.
   */
  maintain(): Promise<void> {
    const run = this.#maintenance.then(async () => {
      if (this.#held.isSuperseded) await this.#held.reload(); // the new secret may be there by now
      if (this.#isServing) await this.#policy.adopt();
      while (await this.#changes.step());
    });
    this.#maintenance = run.catch(() => {}); // the caller of `run` is told
    return run;
  }

  /**
   * Carries out an operator's decision, together with what follows from it at once: when no key
   * could sign any more, the successor takes over in the same transaction. `decide` may be asked
   * again, when another process was faster, and refuses by throwing. What else is due is done by
   * `maintain`, which also reads what came of it.
   *
   * @throws {DomainError} `conflict` under an old secret, `storage_unavailable`, `key_unreadable`, and
   * whatever `decide` throws; nothing has changed then.
   */
  async change(decide: Decide): Promise<void> {
    await this.#changes.change(decide);
  }

  #active(): HeldKey | undefined {
    return this.#held.signerAt(this.#now());
  }

  #now(): number {
    return numericDate(this.#parts.clock());
  }
}
