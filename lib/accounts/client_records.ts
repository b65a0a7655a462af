/** What is kept of a client beside its password: policy and keys, until it is deleted. */

import type { Clock } from "../base/clock.ts";
import { DomainError } from "../base/errors.ts";
import type { ClientRecord, ClientStorage, CredentialRecord } from "../storage/storage.ts";
import { type ClientPolicy, parseIntactPolicy } from "./client_policy.ts";
import { hashName } from "./tombstone.ts";

export interface ClientRecordsParts {
  storage: ClientStorage;
  clock: Clock;
}

/** A public key as a JWK (RFC 7517) that was found to be one, with its name. */
export type ClientKey = Readonly<Record<string, unknown>> & { readonly kid: string };

/** Finds and changes the records of clients. */
export class ClientRecords {
  readonly #parts: ClientRecordsParts;

  constructor(parts: ClientRecordsParts) {
    this.#parts = parts;
  }

  /** Deletes a user; its name is never given again. @throws {DomainError} `not_found`. */
  async deleteUser(username: string): Promise<void> {
    const { storage } = this.#parts;
    await this.change(username, async ({ user }) => {
      return await storage.deleteUser(user.id, await hashName(storage, user.username));
    });
  }

  /** A client with all that is kept of it. @throws {DomainError} `not_found`. */
  async findClient(username: string): Promise<ClientRecord> {
    const record = await this.lookUp(username);
    if (record !== undefined) return record;
    throw new DomainError("not_found", "There is no user of this name", {
      hints: ["jwks-server users list shows the users"],
    });
  }

  /** The same, or `undefined`. */
  async lookUp(username: string): Promise<ClientRecord | undefined> {
    return await this.#parts.storage.findClient(username);
  }

  /** The public keys of a client that are valid now. */
  validKeys({ credentials }: ClientRecord): CredentialRecord[] {
    const now = this.#parts.clock();
    return credentials.filter(({ type, validUntil }) =>
      type === "key" && (validUntil === null || now < validUntil)
    );
  }

  /**
   * Changes a client's policy, and gives it. When others change it meanwhile, it is made anew.
   *
   * @param make gets `undefined` when what is stored is no policy.
   * @throws {DomainError} `not_found`; whatever `make` throws.
   */
  async changePolicy(
    username: string,
    make: (before: ClientPolicy | undefined) => ClientPolicy,
  ): Promise<ClientPolicy> {
    let made: ClientPolicy;
    await this.change(username, ({ user, policy }) => {
      made = make(parseIntactPolicy(policy, user.username));
      const stored = JSON.stringify(made);
      return this.#parts.storage.replaceClientPolicy(user.id, policy, stored);
    });
    return made!;
  }

  /**
   * Lets a client authenticate with this key, too. Only public members may be in it.
   *
   * @throws {DomainError} `not_found`; `conflict` when the client has a key of this `kid`.
   */
  async addKey(username: string, key: ClientKey): Promise<void> {
    const { storage, clock } = this.#parts;
    const { user } = await this.findClient(username);
    const { kid } = key;
    const value = JSON.stringify(key);
    if (await storage.addCredential(user.id, { kid, value, at: clock() })) return;
    throw new DomainError("conflict", `The user has a key of the kid ${kid} already`, {
      hints: ["remove that key first, or give this one another kid"],
    });
  }

  /** Takes a key from a client. @throws {DomainError} `not_found`, also when it has no such key. */
  async removeKey(username: string, kid: string): Promise<void> {
    const { user } = await this.findClient(username);
    if (await this.#parts.storage.removeCredential(user.id, kid)) return;
    throw new DomainError("not_found", `The user has no key of the kid ${kid}`);
  }

  /** Tries a change anew for as long as the client changes under it; `find` may refuse to. */
  protected async change(
    username: string,
    apply: (record: ClientRecord) => Promise<boolean>,
    find = () => this.findClient(username),
  ): Promise<void> {
    while (!await apply(await find()));
  }
}
