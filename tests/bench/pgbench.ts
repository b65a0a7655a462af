/** The load of PostgreSQL's own benchmark, which is written in C and does nothing else. */

import { withTempDir } from "../support.ts";
import type { LoginScript } from "./login_statements.ts";

export interface PgbenchLoad {
  url: string;
  script: LoginScript;
  connections: number;
  seconds: number;
}

/**
 * How often a second the script is run, each statement in a transaction of its own, in the extended
 * protocol and kept by the database, as the server gives its statements.
 */
export async function scriptsPerSecond(
  { url, script, connections, seconds }: PgbenchLoad,
): Promise<number> {
  let text = "";
  await withTempDir(async (directory) => {
    const file = `${directory}/login.sql`;
    await Deno.writeTextFile(file, script.text);
    const variables = Object.entries(script.variables).flatMap((pair) => ["-D", pair.join("=")]);
    const load = ["-n", "-M", "prepared", "-c", String(connections), "-T", String(seconds)];
    const args = [...load, "-f", file, ...variables, url];
    const { success, stdout, stderr } = await new Deno.Command("pgbench", { args }).output();
    text = new TextDecoder().decode(stdout);
    if (!success) throw new Error(`pgbench failed: ${new TextDecoder().decode(stderr)}`);
  });
  if (!/^number of failed transactions: 0 /m.test(text)) throw new Error(`Some failed:\n${text}`);
  return Number(/^tps = ([\d.]+) /m.exec(text)![1]);
}
