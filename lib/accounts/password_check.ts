/** The check of a password against what is stored of a user, at the least cost that is safe. */

import type { DecoyCosts } from "./decoy_costs.ts";
import type { Guess, GuessLimit } from "./guess_limit.ts";
import type { LoginCache } from "./login_cache.ts";
import type { PasswordHasher, Verdict } from "./password.ts";

export interface PasswordCheckParts {
  hasher: PasswordHasher;
  decoys: DecoyCosts;
  /** Without one, each login is a run of Argon2. */
  cache?: LoginCache | undefined;
  /** Without one, a name can be tried from any number of networks. */
  guesses?: GuessLimit | undefined;
}

/** Who says to be somebody, and what is stored of that name. */
export interface Claim {
  /** The name as it was said, whether or not anybody has it. */
  username: string;
  password: string;
  /** The network that the claim comes from. */
  network: string;
  /** The hashes of the passwords that are valid, the current one first; none for an unknown user. */
  hashes: readonly string[];
  /** Whether no password is right, whatever the hashes are. */
  isDisabled: boolean;
}

export class PasswordCheck {
  readonly #parts: PasswordCheckParts;

  constructor(parts: PasswordCheckParts) {
    this.#parts = parts;
  }

  /**
   * Which of the hashes is the one of the password. A login that has just succeeded is remembered
   * and passes at once; whatever else is asked is the same work, for a user and for a name that
   * nobody has.
   *
   * @throws {DomainError} `rate_limited` when this name is tried too often; `overloaded` when too
   * many passwords wait to be checked, or nothing can tell how often the name was tried;
   * `storage_unavailable`.
   */
  async verify(claim: Claim): Promise<Verdict> {
    const { cache, guesses } = this.#parts;
    const remembered = cache?.find(claim.isDisabled ? [] : claim.hashes, claim.password);
    if (remembered !== undefined) return { isUsable: true, right: remembered };
    const guess = await guesses?.admit(claim.username, claim.network);
    const verdict = await this.#hash(claim, guess);
    if (verdict.right === undefined || claim.isDisabled) return { ...verdict, right: undefined };
    guess?.succeed();
    // One that is still to be upgraded must come here again.
    if (!this.#parts.hasher.isOutdated(verdict.right)) {
      cache?.remember(verdict.right, claim.password);
    }
    return verdict;
  }

  async #hash(claim: Claim, guess: Guess | undefined): Promise<Verdict> {
    const { hasher, decoys } = this.#parts;
    try {
      const decoy = await decoys.costOf(claim.username);
      return await hasher.verify(claim.hashes, claim.password, claim.network, decoy);
    } catch (error) {
      guess?.withdraw();
      throw error;
    }
  }
}
