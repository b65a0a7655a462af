/** A database that a server has filled, and the commands run on it in this process. */

import assert from "node:assert/strict";
import type { Finding } from "../../lib/cli/finding.ts";
import { standardOutput } from "../../lib/cli/output.ts";
import { runProgram } from "../../lib/cli/program.ts";
import { exitCodeOf, reportFailure } from "../../lib/cli/report.ts";
import { DomainError } from "../../lib/base/errors.ts";
import type { KeyPolicy } from "../../lib/keys/key_policy.ts";
import type { StopSignal } from "../../lib/server/stop_signal.ts";
import type { SqliteDatabase } from "../../lib/storage/sqlite/database.ts";
import type { SqliteStorage } from "../../lib/storage/sqlite/sqlite_storage.ts";
import { FakeClock, makeRing, openDatabase, openStorage, SECRET, withTempDir } from "../support.ts";
import { capture, type Written } from "./captured.ts";

/** Variables for a command; `undefined` takes one away. */
export type Environment = Record<string, string | undefined>;

/** What became of a command: what a person saw of it, and how it failed if it did. */
export interface Outcome extends Written {
  error: unknown;
}

/** A key as `keys list --json` shows it. */
export interface ListedKey {
  kid: string;
  alg: string;
  state: string;
  signer: boolean;
  exp: string;
}

/** The signals of a process that nobody asks to end. */
const UNSTOPPED: Pick<StopSignal, "received" | "isReceived" | "release"> = {
  received: new Promise<never>(() => {}),
  isReceived: false,
  release() {},
};

export class Workplace {
  /** `published` is the JWK set as the server serves it, `path` where the database is. */
  constructor(
    readonly directory: string,
    readonly published: string,
    readonly path = `${directory}/db`,
  ) {}

  /** What the command printed. */
  async run(args: readonly string[], env: Environment = {}): Promise<string> {
    const { stdout, error } = await this.execute(args, env);
    if (error !== undefined) throw error;
    return stdout.trimEnd();
  }

  /** How the command failed. */
  async refused(args: readonly string[], env: Environment = {}): Promise<DomainError> {
    const { error } = await this.execute(args, env);
    assert.ok(error instanceof DomainError, `${args.join(" ")}: ${error}`);
    return error;
  }

  /** The code with which the process would end. */
  async exitCode(args: readonly string[], env: Environment = {}): Promise<number> {
    return exitCodeOf(await this.refused(args, env));
  }

  async keys(env: Environment = {}): Promise<ListedKey[]> {
    return JSON.parse(await this.run(["keys", "list", "--json"], env));
  }

  /** What the doctor finds. */
  async examine(env: Environment = {}): Promise<Finding[]> {
    return JSON.parse((await this.execute(["doctor", "--json"], env)).stdout);
  }

  /** The status of each of the doctor's checks. */
  async findings(env: Environment = {}): Promise<Record<string, Finding["status"]>> {
    const findings = await this.examine(env);
    return Object.fromEntries(findings.map(({ check, status }) => [check, status]));
  }

  /** As the process runs the command: everything it writes, its last words included. */
  async execute(args: readonly string[], env: Environment = {}): Promise<Outcome> {
    const variables: Environment = {
      DATABASE: this.path,
      NOT_MY_KEY: SECRET,
      ISSUER: "http://127.0.0.1:9", // nobody listens there
      ARGON2_MEMORY_KIB: "64",
      ...env,
    };
    let error: unknown;
    const written = await capture(async () => {
      const read = (name: string) => variables[name];
      const output = standardOutput(read);
      const stop = UNSTOPPED as StopSignal;
      try {
        await runProgram(args, { env: read, stop, output, version: () => "version" });
      } catch (reason) {
        error = reason;
        reportFailure(reason);
      }
    });
    return { ...written, error };
  }

  /** Does something to the database as another program might. */
  tamper<Result>(body: (database: SqliteDatabase) => Result): Result {
    const database = openDatabase(this.path);
    try {
      return body(database);
    } finally {
      database.close();
    }
  }

  /** Works on the database as a server does. */
  async withStorage(body: (storage: SqliteStorage) => Promise<void>): Promise<void> {
    const storage = openStorage(this.path);
    await body(storage).finally(() => storage.close());
  }
}

/** Runs `body` with a database that a server under this policy has filled. */
export async function withWorkplace(
  body: (workplace: Workplace) => Promise<void>,
  policy: Partial<KeyPolicy> = {},
): Promise<void> {
  await withTempDir(async (directory) => {
    const storage = openStorage(`${directory}/db`);
    const { ring } = await makeRing({ storage, policy, time: new FakeClock(Date.now()) });
    const published = ring.published()!.text;
    await storage.close();
    await body(new Workplace(directory, published));
  });
}
