/** A database that a server has filled, and the commands run on it in this process. */

import assert from "node:assert/strict";
import type { Finding } from "../../lib/cli/checks.ts";
import { runProgram } from "../../lib/cli/program.ts";
import { CommandError } from "../../lib/base/errors.ts";
import { KeyEncryption } from "../../lib/sealing/key_encryption.ts";
import { KeyPool } from "../../lib/keys/key_pool.ts";
import { KeyRing } from "../../lib/keys/key_ring.ts";
import { createLog } from "../../lib/base/log.ts";
import { SqliteDatabase } from "../../lib/storage/sqlite/database.ts";
import { SqliteStorage } from "../../lib/storage/sqlite/sqlite_storage.ts";
import { CHEAP, POLICY, pregeneratedKey, SECRET, withTempDir } from "../support.ts";

/** Variables for a command; `undefined` takes one away. */
type Environment = Record<string, string | undefined>;

export class Workplace {
  /** `published` is the JWK set as the server serves it. */
  constructor(readonly directory: string, readonly published: string) {}

  /** What the command printed. */
  async run(args: readonly string[], env: Environment = {}): Promise<string> {
    const { printed, error } = await this.#execute(args, env);
    if (error !== undefined) throw error;
    return printed;
  }

  /** How the command failed. */
  async refused(args: readonly string[], env: Environment = {}): Promise<CommandError> {
    const { error } = await this.#execute(args, env);
    assert.ok(error instanceof CommandError, `${args.join(" ")}: ${error}`);
    return error;
  }

  /** The status of each of the doctor's checks. */
  async findings(env: Environment = {}): Promise<Record<string, Finding["status"]>> {
    const { printed } = await this.#execute(["doctor", "--json"], env);
    const findings: Finding[] = JSON.parse(printed);
    return Object.fromEntries(findings.map(({ check, status }) => [check, status]));
  }

  async #execute(args: readonly string[], env: Environment) {
    const variables: Environment = {
      DATABASE: `${this.directory}/db`,
      NOT_MY_KEY: SECRET,
      ISSUER: "http://127.0.0.1:9", // nobody listens there
      ARGON2_MEMORY_KIB: "64",
      ...env,
    };
    const lines: string[] = [];
    const output = {
      print: (text: string) => void lines.push(text),
      strong: (text: string) => text,
    };
    const parts = { env: (name: string) => variables[name], output, version: () => "version" };
    const error: unknown = await runProgram(args, parts).then(() => undefined, (reason) => reason);
    return { printed: lines.join("\n"), error };
  }
}

export async function withWorkplace(body: (workplace: Workplace) => Promise<void>): Promise<void> {
  await withTempDir(async (directory) => {
    const storage = new SqliteStorage(SqliteDatabase.open(`${directory}/db`));
    const ring = await KeyRing.open({
      storage,
      encryption: await KeyEncryption.establish(storage, SECRET, CHEAP),
      pool: new KeyPool(pregeneratedKey),
      policy: POLICY,
      clock: Date.now,
      log: createLog("error", () => {}),
    });
    await ring.maintain();
    const published = new TextDecoder().decode(ring.published()!.body);
    await storage.close();
    await body(new Workplace(directory, published));
  });
}
