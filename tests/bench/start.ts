/** How long a first start takes. */

import { Client } from "../blackbox/client.ts";
import { Directory, eventually, freePort } from "../blackbox/harness.ts";
import { type Environment, Program } from "../blackbox/process.ts";
import type { Row } from "./row.ts";
import { duration, inTurns, median } from "./statistics.ts";

const STARTS = 15;

/** What a server may take beyond what nobody can do without, in milliseconds. */
const OWN = 150;

/** A program that serves nothing. */
const EMPTY = 'Deno.serve({ port: Number(Deno.env.get("PORT")), onListen() {} }, ' +
  '() => new Response("empty"))';

/**
 * Milliseconds from the start of a process in an empty directory to the first JWK set, against those
 * of an empty `Deno.serve` to its first answer and of one generation of an RSA key.
 */
export async function measureStart(): Promise<Row[]> {
  const [ours, empty, generations] = await inTurns(
    STARTS,
    () => timeStart((options) => new Program([], options)),
    () => timeStart((options) => new EmptyServer(options)),
    () => duration(generateKey),
  );
  const what = "First start to the first JWK set";
  return [
    { what: `${what}, slowest of ${STARTS}`, unit: "ms", measured: Math.max(...ours) },
    {
      what: `${what}, against an empty Deno.serve and one RSA key`,
      unit: "ms",
      measured: median(ours),
      baseline: median(empty) + median(generations),
    },
    {
      what: `${what}, beyond these two`,
      unit: "ms",
      measured: median(ours) - median(empty) - median(generations),
      goal: ["at most", OWN],
    },
  ];
}

interface Started {
  signal(signal: Deno.Signal): void;
  ended: Promise<unknown>;
}

/** `deno run` of the empty server. */
class EmptyServer implements Started {
  readonly #process: Deno.ChildProcess;

  constructor({ cwd, env }: { cwd: string; env: Environment }) {
    Deno.writeTextFileSync(`${cwd}/empty.ts`, EMPTY);
    const args = ["run", "--quiet", "--no-config", "--allow-net", "--allow-env", "empty.ts"];
    this.#process = new Deno.Command(Deno.execPath(), { args, cwd, env: { ...env } }).spawn();
  }

  signal(signal: Deno.Signal): void {
    this.#process.kill(signal);
  }

  get ended(): Promise<unknown> {
    return this.#process.status;
  }
}

async function timeStart(
  start: (options: { cwd: string; env: Environment }) => Started,
): Promise<number> {
  await using directory = new Directory();
  const port = freePort();
  const client = new Client(`http://127.0.0.1:${port}`);
  let program: Started | undefined;
  try {
    return await duration(async () => {
      program = start({ cwd: directory.path, env: { PORT: String(port) } });
      await eventually("an answer", async () => {
        const status = await client.jwks().then(({ status }) => status, () => undefined);
        return status === 200 ? true : undefined;
      }, { every: 5 });
    });
  } finally {
    program?.signal("SIGKILL");
    await program?.ended;
  }
}

async function generateKey(): Promise<void> {
  await crypto.subtle.generateKey(
    {
      name: "RSASSA-PKCS1-v1_5",
      modulusLength: 2048,
      publicExponent: new Uint8Array([1, 0, 1]),
      hash: "SHA-256",
    },
    true,
    ["sign", "verify"],
  );
}
