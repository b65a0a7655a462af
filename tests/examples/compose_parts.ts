/** What example compose-replicas runs, without containers: its secrets, and its PostgreSQL and Valkey. */

import assert from "node:assert/strict";
import compose from "../../lib/cli/examples/compose-replicas.yaml" with { type: "text" };
import { type Directory, eventually, freePort } from "../blackbox/harness.ts";
import { parseYaml, usage } from "../cli/examples.ts";
import { Place, steadyPort } from "../servers/place.ts";
import { programs } from "../servers/postgres.ts";
import { succeed } from "./tool.ts";

// deno-lint-ignore no-explicit-any -- schemas check it; here it is run
export const { services }: any = parseYaml(compose)[0];

/** The names of the files that the example makes. */
export const SECRETS = [
  "database_url",
  "not_my_key",
  "postgres_password",
  "redis_url",
  "role.sql",
  "valkey.conf",
];

/** Runs the commands that make the secrets, but not those that need root, and gives their texts. */
export async function makeSecrets({ path }: Directory): Promise<Record<string, string>> {
  const commands = usage(compose).map((line) => line.replace(/^# {3} ?/, "")).join("\n");
  const [making] = /^\(umask 077;[^]*?chown[^)]*\)$/m.exec(commands)!;
  await succeed(["bash", "-e", "-c", making.replace(/sudo chown [^;)]+/g, ":")], { cwd: path });
  const texts: Record<string, string> = {};
  for await (const { name } of Deno.readDir(`${path}/secrets`)) {
    const file = `${path}/secrets/${name}`;
    assert.equal((await Deno.stat(file)).mode! & 0o777, 0o600, name);
    texts[name] = await Deno.readTextFile(file);
  }
  return texts;
}

/** The words of a command with others in the place of some. */
function changed(words: readonly string[], changes: Record<string, string>): string[] {
  return words.map((word) => changes[word] ?? word);
}

/** A PostgreSQL that is prepared and run as the image does it, with what the example gives it. */
export class ComposedPostgres implements AsyncDisposable {
  readonly port: number;
  readonly #place: Place;
  readonly #programs: string;

  private constructor(place: Place, port: number, directory: string) {
    this.#place = place;
    this.port = port;
    this.#programs = directory;
  }

  static async start(secrets: Record<string, string>): Promise<ComposedPostgres> {
    const place = await Place.make("QUIT");
    const postgres = new ComposedPostgres(place, await steadyPort(), (await programs())!);
    try {
      await postgres.#run(secrets);
      return postgres;
    } catch (error) {
      await place[Symbol.asyncDispose]();
      throw error;
    }
  }

  get socketDirectory(): string {
    return this.#place.directory;
  }

  /** Runs psql as the administrator, over the socket. */
  async psql(args: readonly string[], env: Record<string, string> = {}): Promise<void> {
    const place = ["-h", this.socketDirectory, "-p", String(this.port), "-U", "postgres"];
    const options = ["--no-password", "-X", "-v", "ON_ERROR_STOP=1", ...place];
    const variables = Object.entries(env).map((pair) => pair.join("="));
    await this.#place.run(["env", ...variables, `${this.#programs}/psql`, ...options, ...args]);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#place[Symbol.asyncDispose]();
  }

  async #run(secrets: Record<string, string>): Promise<void> {
    const { directory } = this.#place;
    const { environment, command, healthcheck } = services.postgres;
    const password = await this.#place.write("password", secrets["postgres_password"]!);
    const role = await this.#place.write("role.sql", secrets["role.sql"]!);
    const initialization = [environment.POSTGRES_INITDB_ARGS, `--pwfile=${password}`, "--no-sync"];
    const data = `${directory}/data`;
    await this.#place.run(["sh", "-c", 'umask 077; "$@" >/dev/null', "sh", ...[
      `${this.#programs}/initdb`,
      "--username=postgres",
      ...initialization,
      `--pgdata=${data}`,
    ]]);
    const [program, ...args] = command;
    const own = ["-D", data, "-k", directory, "-p", String(this.port), "-c", "fsync=off"];
    const pid = ["-c", `external_pid_file=${directory}/postgres.pid`];
    await this.#place.spawn([`${this.#programs}/${program}`, ...args, ...own, ...pid]);
    const [, isReady, ...options] = healthcheck.test;
    const check = [`${this.#programs}/${isReady}`, ...options, `--port=${this.port}`];
    await eventually(
      "PostgreSQL is healthy",
      () => this.#place.run(check).then(() => true, () => undefined),
    );
    await this.psql(["-f", role], { PGPASSWORD: secrets["postgres_password"]!.trim() });
  }
}

/** A Valkey, or the Redis that is there instead, with the example's command and its health check. */
export class ComposedValkey implements AsyncDisposable {
  readonly port: number;
  readonly #process: Deno.ChildProcess;

  private constructor(port: number, process: Deno.ChildProcess) {
    this.port = port;
    this.#process = process;
  }

  /** @param program as `findRedis` gives it. */
  static async start(program: string, { path }: Directory): Promise<ComposedValkey> {
    const port = freePort();
    const secret = `${path}/secrets/valkey.conf`;
    const changes = { "valkey-server": program, "/run/secrets/valkey": secret };
    const [command, ...args] = changed(services.valkey.command, changes);
    const own = ["--port", String(port), "--bind", "127.0.0.1"];
    const options: Deno.CommandOptions = { args: [...args, ...own], cwd: path, stdout: "null" };
    const valkey = new ComposedValkey(port, new Deno.Command(command!, options).spawn());
    const [, check] = services.valkey.healthcheck.test;
    const test = check.replaceAll("$$", "$").replace("/run/secrets/valkey", secret)
      .replace("valkey-cli", `${program.replace("server", "cli")} -p ${port}`);
    await eventually(
      "Valkey is healthy",
      () => succeed(["sh", "-c", test]).then(() => true, () => undefined),
    );
    return valkey;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#process.kill("SIGTERM");
    await this.#process.status;
  }
}
