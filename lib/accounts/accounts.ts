/**
 * Users: registered with a generated password, authenticated by it, every attempt on record. This
 * room knows who may have a token; it imports `lib/storage` and `lib/base`.
 */

import type { Clock } from "../base/clock.ts";
import { DomainError, isDomainError } from "../base/errors.ts";
import type { ClientAddress } from "../base/ip_address.ts";
import type { Log } from "../base/log.ts";
import type { AuthenticationStorage, UserRecord, UserStorage } from "../storage/storage.ts";
import type { PasswordHasher } from "./password.ts";
import type { Registration } from "./registration.ts";

export interface AccountsParts {
  storage: UserStorage & AuthenticationStorage;
  hasher: PasswordHasher;
  clock: Clock;
  log: Log;
}

/** What somebody says to be authenticated. */
export interface Credentials {
  username: string;
  password: string;
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
   * @param client the network that asks, with which it shares the work of hashing.
   * @throws {DomainError} `already_registered`, in the same words for a taken name and address;
   * `overloaded` when too many passwords wait.
   */
  async register(
    user: Registration,
    client: string,
    password: string = crypto.randomUUID(),
  ): Promise<string> {
    const { storage, hasher, clock } = this.#parts;
    const passwordHash = await hasher.hash(password, client);
    if (await storage.createUser({ ...user, passwordHash, at: clock() })) return password;
    throw new DomainError("already_registered", "The username or the e-mail address is taken");
  }

  /**
   * The user with these credentials. A refusal is put on record here; a success is by
   * `recordLogin`, once the token it was for exists.
   *
   * @throws {DomainError} `invalid_credentials`, after the same work for an unknown user, a
   * disabled one and a wrong password; `overloaded` when too many passwords wait to be checked.
   */
  async authenticate(credentials: Credentials, client: ClientAddress): Promise<UserRecord> {
    const { storage, hasher, clock } = this.#parts;
    const user = await storage.findUser(credentials.username);
    const hash = user && hashOf(user);
    const verdict = await hasher.verify(hash, credentials.password, client.network);
    if (verdict === "unusable") this.#reportUnusable(user!);
    if (user === undefined || verdict !== "right" || isDisabled(user)) {
      await storage.recordAuthentication({ ip: client.ip, at: clock(), user: null });
      throw new DomainError("invalid_credentials", "The username or the password is wrong");
    }
    if (!hasher.isOutdated(user.passwordHash)) return user;
    return await this.#upgrade(user, credentials.password, client.network) ??
      await this.authenticate(credentials, client);
  }

  /**
   * Puts a successful authentication on record, durably: only then may the token leave. False, with
   * nothing on record, when the user's password or state has changed since it was checked.
   */
  async recordLogin(user: UserRecord, { ip }: ClientAddress): Promise<boolean> {
    const { storage, clock } = this.#parts;
    return await storage.recordAuthentication({ ip, at: clock(), user });
  }

  /** Makes a user unable, or able again, to authenticate. @throws {DomainError} `not_found`. */
  async setDisabled(username: string, disabled: boolean): Promise<void> {
    await this.#replaceHash(username, (user) => `${disabled ? DISABLED : ""}${hashOf(user)}`);
  }

  /**
   * Replaces a password and gives the new one; a disabled user stays disabled.
   *
   * @throws {DomainError} `not_found`.
   */
  async resetPassword(
    username: string,
    client: string,
    password: string = crypto.randomUUID(),
  ): Promise<string> {
    const hash = await this.#parts.hasher.hash(password, client);
    await this.#replaceHash(username, (user) => `${isDisabled(user) ? DISABLED : ""}${hash}`);
    return password;
  }

  async #replaceHash(username: string, replace: (user: UserRecord) => string): Promise<void> {
    const { storage } = this.#parts;
    for (;;) {
      const user = await storage.findUser(username);
      if (user === undefined) {
        throw new DomainError("not_found", "There is no user of this name", {
          hints: ["jwks-server users list shows the users"],
        });
      }
      if (await storage.replacePasswordHash(user.id, user.passwordHash, replace(user))) return;
    }
  }

  /**
   * Rehashes a password that was hashed at another cost; under load that waits for another login.
   * Gives nothing when the hash changed meanwhile, so that the password must be checked again.
   */
  async #upgrade(
    user: UserRecord,
    password: string,
    client: string,
  ): Promise<UserRecord | undefined> {
    const { storage, hasher } = this.#parts;
    try {
      const passwordHash = await hasher.hash(password, client);
      const { id, passwordHash: before } = user;
      const isUpgraded = await storage.replacePasswordHash(id, before, passwordHash);
      return isUpgraded ? { ...user, passwordHash } : undefined;
    } catch (error) {
      if (isDomainError(error, "overloaded")) return user;
      throw error;
    }
  }

  #reportUnusable({ id, username }: UserRecord): void {
    this.#parts.log.error(
      "a row of the table users holds no password hash: the user cannot log in until the password " +
        "is reset",
      { user_id: id, username },
    );
  }
}

function hashOf({ passwordHash }: UserRecord): string {
  return passwordHash.startsWith(DISABLED) ? passwordHash.slice(DISABLED.length) : passwordHash;
}
