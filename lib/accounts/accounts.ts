/**
 * Users: registered with a generated password, authenticated by it, every attempt on record; and what
 * they have as clients. This room knows who may have a token; it imports `lib/storage` and `lib/base`.
 */

import { DomainError } from "../base/errors.ts";
import type { ClientRecord } from "../storage/storage.ts";
import { Authentication, type AuthenticationParts } from "./authentication.ts";
import { beingChanged, type CheckedClient, isAsChecked } from "./changed_client.ts";
import { ClientRecords } from "./client_records.ts";
import type { Registration } from "./registration.ts";
import { hashName } from "./tombstone.ts";
import { hashOf, isDisabled, rowHash } from "./user_state.ts";

export type { AuthenticatedClient, Credentials } from "./authentication.ts";
export { beingChanged } from "./changed_client.ts";
export { isDisabled } from "./user_state.ts";

export type AccountsParts = AuthenticationParts;

export class Accounts extends ClientRecords {
  readonly #parts: AccountsParts;
  /** Who comes in, and its record. */
  readonly authentication: Authentication;

  constructor(parts: AccountsParts) {
    super(parts);
    this.#parts = parts;
    this.authentication = new Authentication(parts);
  }

  /**
   * Registers a user and gives the password: the given one or a random UUIDv4 (RFC 9562 §5.4),
   * which is not kept.
   *
   * @param client the network that asks, with which it shares the work of hashing.
   * @throws {DomainError} `already_registered`, in the same words for a taken name, a deleted one
   * and a taken address; `overloaded` when too many passwords wait.
   */
  async register(
    user: Registration,
    client: string,
    password: string = crypto.randomUUID(),
  ): Promise<string> {
    const { storage, hasher, clock } = this.#parts;
    const passwordHash = await hasher.hash(password, client);
    const nameHash = await hashName(storage, user.username);
    if (await storage.createUser({ ...user, passwordHash, at: clock(), nameHash })) return password;
    throw new DomainError("already_registered", "The username or the e-mail address is taken");
  }

  /** Makes a user unable, or able again, to authenticate. @throws {DomainError} `not_found`. */
  async setDisabled(username: string, disabled: boolean): Promise<void> {
    const { storage } = this.#parts;
    await this.change(username, ({ user }) => {
      const to = rowHash(hashOf(user), disabled);
      return storage.replacePasswordHash(user.id, user.passwordHash, to);
    });
  }

  /**
   * Replaces a password, ends every other one, and gives the new one; a disabled user stays disabled.
   *
   * @throws {DomainError} `not_found`.
   */
  async resetPassword(
    username: string,
    client: string,
    password: string = crypto.randomUUID(),
  ): Promise<string> {
    const { storage, hasher } = this.#parts;
    const hash = await hasher.hash(password, client);
    await this.change(username, ({ user }) => {
      const to = rowHash(hash, isDisabled(user));
      return storage.replacePassword(user.id, { from: user.passwordHash, to });
    });
    return password;
  }

  /**
   * Gives a new password, a random UUIDv4, beside which the current one stays valid for
   * `overlapSeconds`; one that was replaced before ends at once. A disabled user stays disabled.
   *
   * @param self the client when it is the one who asks: whoever took its credential away meanwhile,
   * or gave it another password, has the last word.
   * @throws {DomainError} `not_found`; `overloaded` when too many passwords wait, or the client is
   * not as it was when it authenticated.
   */
  async rotatePassword(
    username: string,
    overlapSeconds: number,
    client: string,
    self?: CheckedClient,
  ): Promise<string> {
    const { storage, hasher, clock } = this.#parts;
    const password = crypto.randomUUID();
    await this.change(username, async ({ user }) => {
      const value = hashOf(user);
      const to = rowHash(await hasher.hashLike(value, password, client), isDisabled(user));
      const at = clock();
      const kept = { value, at, validUntil: at + overlapSeconds * 1000 };
      return await storage.replacePassword(user.id, { from: user.passwordHash, to, kept });
    }, self && (() => this.#findAsChecked(self)));
    return password;
  }

  async #findAsChecked(client: CheckedClient): Promise<ClientRecord> {
    const record = await this.lookUp(client.user.username);
    if (record !== undefined && isAsChecked(record, client)) return record;
    throw beingChanged();
  }
}
