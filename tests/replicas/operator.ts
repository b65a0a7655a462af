/** The commands of an operator on a shared database, in this process, many at a time if need be. */

import { type Clock, numericDate } from "../../lib/base/clock.ts";
import { isDomainError } from "../../lib/base/errors.ts";
import { revokeKey, rotateKeys } from "../../lib/cli/keys.ts";
import type { Output } from "../../lib/cli/output.ts";
import { deleteUser, resetPassword, setUserDisabled } from "../../lib/cli/users.ts";
import type { HeldKey } from "../../lib/keys/held_key.ts";
import { KeyRing } from "../../lib/keys/key_ring.ts";
import { type KeyState, keyState } from "../../lib/rotation/policy.ts";
import { type Config, loadConfig } from "../../lib/server/config.ts";
import { type OpenedDatabase, openExistingDatabase } from "../../lib/server/open.ts";
import type { Environment } from "../blackbox/process.ts";
import { recordingLog } from "../support.ts";

/** More rows than any test makes a client log in. */
const ALL = 1_000_000;

interface Context {
  config: Config;
  database: OpenedDatabase;
  storage: OpenedDatabase["storage"];
  output: Output;
}

export class Operator implements AsyncDisposable {
  readonly #context: Context;
  readonly #following: Promise<void>[] = [];

  private constructor(context: Context) {
    this.#context = context;
  }

  /**
   * @param clock what the operator's machine goes by.
   * @throws {DomainError} as commands do that find no database or have another secret.
   */
  static async open(env: Environment, clock: Clock = Date.now): Promise<Operator> {
    const config = loadConfig((name) => env[name]);
    const { log } = recordingLog();
    const database = { ...await openExistingDatabase(config, log), clock };
    const output = { print() {}, log } as unknown as Output;
    return new Operator({ config, database, storage: database.storage, output });
  }

  async setDisabled(username: string, isDisabled: boolean): Promise<void> {
    await setUserDisabled(this.#context, username, isDisabled);
  }

  async resetPassword(username: string, password: string): Promise<void> {
    await resetPassword(this.#context, username, { value: password, allowWeak: false });
  }

  async deleteUser(username: string): Promise<void> {
    await deleteUser(this.#context, username);
  }

  /** How many logins of a client are on record. */
  async countLogins(username: string): Promise<number> {
    const { storage } = this.#context;
    const query = { afterId: 0, since: 0, username, limit: ALL };
    return (await storage.readAuthentications(query)).length;
  }

  /** Lets the next key sign, published for long enough or not. */
  async rotate(): Promise<void> {
    await rotateKeys(this.#context, { force: true });
  }

  /** Ends when it is said that the key is revoked; what follows from that is done meanwhile. */
  async revoke(kid: string): Promise<void> {
    const said = Promise.withResolvers<void>();
    const output = { ...this.#context.output, print: () => said.resolve() };
    const done = revokeKey({ ...this.#context, output }, kid);
    await Promise.race([said.promise, done]);
    // The storage may be locked then, which is told, and left to the servers.
    this.#following.push(done.catch((error) => {
      if (!isDomainError((error as Error).cause, "storage_unavailable")) throw error;
    }));
  }

  /** Waits for what follows from revocations. */
  async settle(): Promise<void> {
    await Promise.all(this.#following.splice(0));
  }

  /** Every stored key. */
  async keys(): Promise<readonly HeldKey[]> {
    return (await KeyRing.load(this.#context.database)).keys;
  }

  /** The kids of the keys in a state. */
  async kids(state: KeyState): Promise<string[]> {
    const now = numericDate(this.#context.database.clock());
    return (await this.keys()).filter((key) => keyState(key, now) === state).map(({ kid }) => kid);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.settle().finally(() => this.#context.storage.close());
  }
}
