/** How long a first start takes. */

import { Client } from "../blackbox/client.ts";
import { Directory, eventually, freePort } from "../blackbox/harness.ts";
import { Program } from "../blackbox/process.ts";
import type { Row } from "./row.ts";
import { duration, median } from "./statistics.ts";

const STARTS = 10;

/** Milliseconds from the start of a process in an empty directory to the first JWK set. */
export async function measureStart(): Promise<Row[]> {
  const times: number[] = [];
  for (let i = 0; i < STARTS; i++) times.push(await timeStart());
  const what = "First start to the first JWK set";
  return [
    { what: `${what}, median`, unit: "ms", measured: median(times) },
    { what: `${what}, slowest`, unit: "ms", measured: Math.max(...times), goal: ["below", 1000] },
  ];
}

async function timeStart(): Promise<number> {
  await using directory = new Directory();
  const port = freePort();
  const client = new Client(`http://127.0.0.1:${port}`);
  let program: Program | undefined;
  try {
    return await duration(async () => {
      program = new Program([], { cwd: directory.path, env: { PORT: String(port) } });
      await eventually("a JWK set", async () => {
        const status = await client.jwks().then(({ status }) => status, () => undefined);
        return status === 200 ? true : undefined;
      }, { every: 5 });
    });
  } finally {
    program?.signal("SIGKILL");
    await program?.ended;
  }
}
