/** Users: registered with a generated password, authenticated by it, every attempt on record. */

import type { Clock } from "../base/clock.ts";
import { RequestError } from "../base/errors.ts";
import type { PasswordHasher } from "./password.ts";
import type { Storage, UserRecord } from "../storage/storage.ts";

export interface AccountsParts {
  storage: Storage;
  hasher: PasswordHasher;
  clock: Clock;
}

/**
 * What stands before the hash of a disabled user. No password has such a hash, so that whoever only
 * knows how to check passwords refuses it, too; the hash behind it survives for `enable`.
 */
const DISABLED = "!";

/** Whether a user may not authenticate. */
export function isDisabled({ passwordHash }: Pick<UserRecord, "passwordHash">): boolean {
  return passwordHash.startsWith(DISABLED);
}

export class Accounts {
  readonly #parts: AccountsParts;

  constructor(parts: AccountsParts) {
    this.#parts = parts;
  }

  /**
   * Registers a user and gives the password: the given one or a random UUIDv4 (RFC 9562 §5.4),
   * which is not kept.
   *
   * @throws {RequestError} `already_registered`, in the same words for a taken name and address.
   */
  async register(
    user: { username: string; email: string },
    password: string = crypto.randomUUID(),
  ): Promise<string> {
    const { storage, hasher, clock } = this.#parts;
    const passwordHash = await hasher.hash(password);
    if (await storage.createUser({ ...user, passwordHash, at: clock() })) return password;
    throw new RequestError("already_registered", "The username or the e-mail address is taken");
  }

  /**
   * The user with these credentials. A refusal is put on record here; a success is by
   * `recordLogin`, once the token it was for exists.
   *
   * @throws {RequestError} `invalid_credentials`, after the same work for an unknown user, a
   * disabled one and a wrong password; `overloaded` when too many passwords wait to be checked.
   */
  async authenticate(credentials: {
    username: string;
    password: string;
    ip: string;
  }): Promise<UserRecord> {
    const { storage, hasher, clock } = this.#parts;
    const user = await storage.findUser(credentials.username);
    const isRight = await hasher.verify(user && hashOf(user), credentials.password);
    if (user === undefined || !isRight || isDisabled(user)) {
      await storage.recordAuthentication({ ip: credentials.ip, at: clock(), user: null });
      throw wrongCredentials();
    }
    if (!hasher.isOutdated(user.passwordHash)) return user;
    return await this.#upgrade(user, credentials.password) ?? await this.authenticate(credentials);
  }

  /**
   * Puts a successful authentication on record, durably: only then may the token leave.
   *
   * @throws {RequestError} `invalid_credentials` when the user was disabled, or the password
   * replaced, since it was checked.
   */
  async recordLogin(user: UserRecord, ip: string): Promise<void> {
    const { storage, clock } = this.#parts;
    if (!await storage.recordAuthentication({ ip, at: clock(), user })) throw wrongCredentials();
  }

  /** Makes a user unable, or able again, to authenticate. @throws {RequestError} `not_found`. */
  async setDisabled(username: string, disabled: boolean): Promise<void> {
    await this.#replaceHash(username, (user) => `${disabled ? DISABLED : ""}${hashOf(user)}`);
  }

  /** Replaces a password; a disabled user stays disabled. @throws {RequestError} `not_found`. */
  async resetPassword(username: string, password: string = crypto.randomUUID()): Promise<string> {
    const hash = await this.#parts.hasher.hash(password);
    await this.#replaceHash(username, (user) => `${isDisabled(user) ? DISABLED : ""}${hash}`);
    return password;
  }

  async #replaceHash(username: string, replace: (user: UserRecord) => string): Promise<void> {
    const { storage } = this.#parts;
    for (;;) {
      const user = await storage.findUser(username);
      if (user === undefined) throw new RequestError("not_found", "There is no user of this name");
      if (await storage.replacePasswordHash(user.id, user.passwordHash, replace(user))) return;
    }
  }

  /**
   * Rehashes a password that was hashed at another cost; under load that waits for another login.
   * Gives nothing when the hash changed meanwhile, so that the password must be checked again.
   */
  async #upgrade(user: UserRecord, password: string): Promise<UserRecord | undefined> {
    const { storage, hasher } = this.#parts;
    try {
      const passwordHash = await hasher.hash(password);
      const isUpgraded = await storage.replacePasswordHash(
        user.id,
        user.passwordHash,
        passwordHash,
      );
      return isUpgraded ? { ...user, passwordHash } : undefined;
    } catch (error) {
      if (error instanceof RequestError && error.code === "overloaded") return user;
      throw error;
    }
  }
}

function hashOf({ passwordHash }: UserRecord): string {
  return passwordHash.startsWith(DISABLED) ? passwordHash.slice(DISABLED.length) : passwordHash;
}

function wrongCredentials(): RequestError {
  return new RequestError("invalid_credentials", "The username or the password is wrong");
}
