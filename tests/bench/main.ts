/**
 * Measures the server against baselines of the same run, and ends with exit code 1 when a goal is
 * missed. `deno task bench [--json] [name]`: with a name, only what has it in its own is measured.
 */

import { parseArgs } from "node:util";
import { measureEddsa } from "./eddsa.ts";
import { measureFlood } from "./flood.ts";
import { measureIdle } from "./idle.ts";
import { measureJwks } from "./jwks.ts";
import { measureLimiter } from "./limiter.ts";
import { measureLogin } from "./login.ts";
import { measureMemory } from "./memory.ts";
import { measureNeighbour } from "./neighbour.ts";
import { measureOtherServer } from "./other_server.ts";
import { measurePostgres } from "./postgres.ts";
import { measurePurge } from "./purge.ts";
import { measureRefusal } from "./refusal.ts";
import { formatJson, formatTable, isMissed, type Row, type Unmeasured } from "./row.ts";
import { measureScale } from "./scale.ts";
import { measureStart } from "./start.ts";
import { measureToken } from "./token.ts";
import { measureValkey } from "./valkey.ts";

/** One at a time and in this order: each has the machine for itself. */
const MEASUREMENTS: Record<string, () => Promise<(Row | Unmeasured)[]>> = {
  "jwks": measureJwks,
  "login": measureLogin,
  "token": measureToken,
  "eddsa": measureEddsa,
  "other-server": measureOtherServer,
  "postgres": measurePostgres,
  "start": measureStart,
  "idle": measureIdle,
  "limiter": measureLimiter,
  "valkey": measureValkey,
  "purge": measurePurge,
  "fairness-flood": measureFlood,
  "fairness-neighbour": measureNeighbour,
  "refusal": measureRefusal,
  "memory": measureMemory,
  "scale": measureScale,
};

const { values: { json }, positionals: [filter = ""] } = parseArgs({
  args: Deno.args,
  options: { json: { type: "boolean" } },
  allowPositionals: true,
});
const chosen = Object.keys(MEASUREMENTS).filter((name) => name.includes(filter));
if (chosen.length === 0) {
  throw new Error(`Nothing is called ${filter}; there are ${Object.keys(MEASUREMENTS).join(", ")}`);
}
const rows: (Row | Unmeasured)[] = [];
for (const name of chosen) rows.push(...await measure(name));
await say(Deno.stdout, json ? formatJson(rows) : formatTable(rows));
Deno.exitCode = rows.some(isMissed) ? 1 : 0;

/** What fails is a row as well: the others are worth their minutes. */
async function measure(name: string): Promise<(Row | Unmeasured)[]> {
  await say(Deno.stderr, `measuring ${name}\n`);
  try {
    return await MEASUREMENTS[name]!();
  } catch (error) {
    await say(Deno.stderr, `${(error as Error).stack}\n`);
    return [{ what: name, reason: `failed: ${(error as Error).message}`, isFailure: true }];
  }
}

async function say(stream: { write(bytes: Uint8Array): Promise<number> }, text: string) {
  let bytes = new TextEncoder().encode(text);
  while (bytes.length > 0) bytes = bytes.subarray(await stream.write(bytes));
}
