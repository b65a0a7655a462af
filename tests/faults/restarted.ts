/** What a start finds in a directory: put together by production's own steps, in this process. */

import assert from "node:assert/strict";
import { Accounts } from "../../lib/accounts/accounts.ts";
import { KeyRing } from "../../lib/keys/key_ring.ts";
import { keyState } from "../../lib/rotation/policy.ts";
import { loadConfig } from "../../lib/server/config.ts";
import { openDatabase, type OpenedDatabase } from "../../lib/server/open.ts";
import { checkIntegrity } from "../../lib/storage/sqlite/integrity.ts";
import type { Credentials } from "../blackbox/client.ts";
import type { Directory } from "../blackbox/harness.ts";
import { cheapHasher, CLIENT, makeRing, openStorage, recordingLog, SECRET } from "../support.ts";

/** Keys that take no time to make. */
export const CHEAP_KEYS = { SIGNING_ALG: "ES256" };

/** Fills a directory as a server does, its secret in the file beside the database. */
export async function fill(directory: Directory): Promise<void> {
  const storage = openStorage(directory.database);
  await makeRing({ storage, policy: { alg: "ES256" }, time: { clock: Date.now } as never });
  await storage.close();
  await Deno.writeTextFile(`${directory.database}.key`, `${SECRET}\n`, { mode: 0o600 });
}

/** The ring and the accounts as a server has them that was started. */
export class Restarted implements AsyncDisposable {
  readonly #database: OpenedDatabase;
  readonly #accounts: Accounts;

  private constructor(
    readonly directory: Directory,
    database: OpenedDatabase,
    readonly ring: KeyRing,
  ) {
    this.#database = database;
    this.#accounts = new Accounts({ ...database, hasher: cheapHasher() });
  }

  /** Starts, and asserts what holds after every crash: the database is sound, and one key signs. */
  static async start(directory: Directory): Promise<Restarted> {
    const env: Record<string, string> = { ...CHEAP_KEYS, DATABASE: directory.database };
    const { log, lines } = recordingLog();
    const database = await openDatabase(loadConfig((name) => env[name]), log);
    const ring = await KeyRing.open(database);
    await ring.maintain();
    const restarted = new Restarted(directory, database, ring);
    assert.equal(restarted.kids("active").length, 1);
    assert.equal(restarted.kids("next").length, 1);
    assert.deepEqual(ring.refused, []);
    assert.equal(ring.emergencies, 0, lines.join("\n"));
    assert.equal(checkIntegrity(directory.database), "ok");
    return restarted;
  }

  /** The kids of the keys in a state. */
  kids(state: ReturnType<typeof keyState>): string[] {
    const now = Math.floor(Date.now() / 1000);
    return this.ring.keys.filter((key) => keyState(key, now) === state).map(({ kid }) => kid);
  }

  get allKids(): string[] {
    return this.ring.keys.map(({ kid }) => kid);
  }

  /** Asserts that a client can log in by these credentials, which leaves no row. */
  async assertKnows(credentials: Credentials): Promise<void> {
    await this.#accounts.authentication.authenticate(credentials, CLIENT);
  }

  /** How many successful logins are on record. */
  countLogins(username: string): number {
    return this.directory.query(
      "SELECT 1 FROM auth_logs JOIN users ON users.id = user_id WHERE username = ?",
      username,
    ).length;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#database.storage.close();
  }
}
