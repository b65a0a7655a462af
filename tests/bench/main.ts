/**
 * Measures the server against bare baselines in the same run, and ends with exit code 1 when a
 * target is missed. Both sides of a ratio take turns, so that a noisy machine disturbs both alike.
 */

import { Client } from "../blackbox/client.ts";
import { Directory, eventually, freePort, Server, UNLIMITED } from "../blackbox/harness.ts";
import { settled } from "../blackbox/keys.ts";
import { Program } from "../blackbox/process.ts";
import { Helper } from "./helper.ts";
import { requestsPerSecond } from "./load.ts";

const ROUNDS = 5;
const SECONDS = 2;
const LOGINS = 25;
const STARTS = 10;

let missed = 0;

await using server = await Server.start({ isFullCost: true, env: UNLIMITED });
await settled(server);
await measureJwks(server);
await measureLogin(server);
await server.stop();
await measureStart();
Deno.exitCode = missed > 0 ? 1 : 0;

/** The JWK set against a server that knows nothing but the same answer. */
async function measureJwks(server: Server): Promise<void> {
  const path = "/.well-known/jwks.json";
  const { headers, text } = await server.jwks();
  const fixed = [...headers].filter(([name]) => name !== "date"); // Deno says it by itself
  await using bare = new Helper("bare_server.ts", [JSON.stringify({ headers: fixed, text })]);
  const bareUrl = `http://127.0.0.1:${await bare.line()}`;
  const copy = await new Client(bareUrl).request(path);
  if (copy.text !== text) throw new Error("The baseline answers something else");

  const [ours, theirs] = [[], []] as [number[], number[]];
  for (let round = -1; round < ROUNDS; round++) {
    const [one, other] = [
      await requestsPerSecond(server.url + path, SECONDS),
      await requestsPerSecond(bareUrl + path, SECONDS),
    ];
    if (round < 0) continue; // both were warming up
    ours.push(one);
    theirs.push(other);
  }
  const ratio = median(ours) / median(theirs);
  await report(
    "GET of the JWK set",
    `${median(ours).toFixed(0)} requests/s, bare Deno.serve ${median(theirs).toFixed(0)}`,
    `ratio ${ratio.toFixed(2)}, target at least 0.70`,
    ratio >= 0.70,
  );
}

/** A login that no cache can answer against the one Argon2id run that it cannot do without. */
async function measureLogin(server: Server): Promise<void> {
  const first = await server.register();
  const [row] = server.query<{ password_hash: string }>("SELECT password_hash FROM users");
  await using bare = new Helper("bare_verify.ts", [row!.password_hash, first.password]);
  await Promise.all([bare.ask(), server.token(first)]); // both are warm from here on
  const [ours, theirs] = [[], []] as [number[], number[]];
  for (let i = 0; i < LOGINS; i++) {
    const user = await server.register();
    const start = performance.now();
    await server.token(user);
    ours.push(performance.now() - start);
    theirs.push(Number(await bare.ask()));
  }
  const ratio = median(ours) / median(theirs);
  await report(
    "Login, not cached",
    `${median(ours).toFixed(1)} ms, bare verify ${median(theirs).toFixed(1)} ms`,
    `ratio ${ratio.toFixed(2)}, target at most 1.50`,
    ratio <= 1.50,
  );
}

/** From the start of a process in an empty directory to the first JWK set. */
async function measureStart(): Promise<void> {
  const times: number[] = [];
  for (let i = 0; i < STARTS; i++) times.push(await timeStart());
  await report(
    "First start to first 200",
    `median ${median(times).toFixed(0)} ms of ${STARTS}`,
    `maximum ${Math.max(...times).toFixed(0)} ms, target below 1000 ms`,
    Math.max(...times) < 1000,
  );
}

async function timeStart(): Promise<number> {
  await using directory = new Directory();
  const port = freePort();
  const client = new Client(`http://127.0.0.1:${port}`);
  const start = performance.now();
  const program = new Program([], { cwd: directory.path, env: { PORT: String(port) } });
  try {
    await eventually("a JWK set", async () => {
      const status = await client.jwks().then(({ status }) => status, () => undefined);
      return status === 200 ? true : undefined;
    }, { every: 5 });
    return performance.now() - start;
  } finally {
    program.signal("SIGKILL");
    await program.ended;
  }
}

async function report(what: string, measured: string, verdict: string, isMet: boolean) {
  if (!isMet) missed++;
  const line = `${isMet ? "ok    " : "MISSED"}  ${what}: ${measured}; ${verdict}\n`;
  await Deno.stdout.write(new TextEncoder().encode(line));
}

function median(values: readonly number[]): number {
  const sorted = values.toSorted((one, other) => one - other);
  const middle = (sorted.length - 1) / 2;
  return (sorted[Math.floor(middle)]! + sorted[Math.ceil(middle)]!) / 2;
}
