/** Users: registered with a generated password, authenticated by it, every attempt on record. */

import type { Clock } from "./clock.ts";
import { RequestError } from "./errors.ts";
import type { PasswordHasher } from "./password.ts";
import type { Storage, UserRecord } from "./storage.ts";

export interface AccountsParts {
  storage: Storage;
  hasher: PasswordHasher;
  clock: Clock;
}

export class Accounts {
  readonly #parts: AccountsParts;

  constructor(parts: AccountsParts) {
    this.#parts = parts;
  }

  /**
   * Registers a user and gives the password, a random UUIDv4 (RFC 9562 §5.4), which is not kept.
   *
   * @throws {RequestError} `already_registered`, in the same words for a taken name and address.
   */
  async register(user: { username: string; email: string }): Promise<string> {
    const { storage, hasher, clock } = this.#parts;
    const password = crypto.randomUUID();
    const passwordHash = await hasher.hash(password);
    if (await storage.createUser({ ...user, passwordHash, at: clock() })) return password;
    throw new RequestError("already_registered", "The username or the e-mail address is taken");
  }

  /**
   * The user with these credentials. A refusal is put on record here; a success is by
   * `recordLogin`, once the token it was for exists.
   *
   * @throws {RequestError} `invalid_credentials`, after the same work for an unknown user and a
   * wrong password; `overloaded` when too many passwords wait to be checked.
   */
  async authenticate(credentials: {
    username: string;
    password: string;
    ip: string;
  }): Promise<UserRecord> {
    const { storage, hasher, clock } = this.#parts;
    const user = await storage.findUser(credentials.username);
    const isRight = await hasher.verify(user?.passwordHash, credentials.password);
    if (user === undefined || !isRight) {
      await storage.recordAuthentication({ ip: credentials.ip, at: clock(), userId: null });
      throw new RequestError("invalid_credentials", "The username or the password is wrong");
    }
    await this.#upgrade(user, credentials.password);
    return user;
  }

  /** Puts a successful authentication on record, durably: only then may the token leave. */
  async recordLogin(user: UserRecord, ip: string): Promise<void> {
    await this.#parts.storage.recordAuthentication({
      ip,
      at: this.#parts.clock(),
      userId: user.id,
    });
  }

  /** Rehashes a password that was hashed at another cost; under load that waits for another login. */
  async #upgrade(user: UserRecord, password: string): Promise<void> {
    const { storage, hasher } = this.#parts;
    if (!hasher.isOutdated(user.passwordHash)) return;
    try {
      const upgraded = await hasher.hash(password);
      await storage.replacePasswordHash(user.id, user.passwordHash, upgraded);
    } catch (error) {
      if (!(error instanceof RequestError && error.code === "overloaded")) throw error;
    }
  }
}
