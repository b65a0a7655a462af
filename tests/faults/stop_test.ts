/** SIGTERM while many wait for an answer, and somebody never sends all of a request. */

import assert from "node:assert/strict";
import type { Answer, Credentials } from "../blackbox/client.ts";
import { connect, receive, send } from "../blackbox/client.ts";
import { Server, UNLIMITED } from "../blackbox/harness.ts";
import { works } from "../blackbox/skip.ts";
import { form } from "./form.ts";

/** Clients that log in without a pause: several a core, so that most of them wait. */
const CLIENTS = 6 * navigator.hardwareConcurrency;

/** How long they do before the signal comes, in milliseconds. */
const BEFORE = form(600, 3000);

/** How often it is stopped. */
const STOPS = form(2, 20);

/** What was sent so long before the signal has reached the server, in milliseconds. */
const ARRIVAL = 60;

/** A password that takes long enough to check, each time, for some always to wait. */
const COST = { ARGON2_MEMORY_KIB: "16384", ARGON2_PASSES: "4", AUTH_CACHE_TTL: "0s" };

const HEAD = "POST /auth HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n";

const NAMESPACE = ["unshare", "--pid", "--fork", "--kill-child", "--"];

const PROCESSES = [
  { what: "a process", wrapper: [], isPossible: true },
  {
    what: "process 1",
    wrapper: NAMESPACE,
    isPossible: await works([...NAMESPACE, "true"], "SIGTERM under load as process 1"),
  },
];

for (const { what, wrapper, isPossible } of PROCESSES) {
  Deno.test({
    name:
      `${what} that is told to stop under load gives every answer, and ends with 0 within 10 s, ` +
      "whoever holds a request back",
    ignore: !isPossible,
  }, async () => {
    await using server = await Server.start({ env: { ...UNLIMITED, ...COST }, wrapper });
    using silent = await connect(server.url);
    using stalled = await connect(server.url);
    await send(stalled, `${HEAD}Content-Length: 100\r\n\r\n{"username":`);
    const took = await stopUnderLoad(server, wrapper.length > 0);
    assert.ok(took > 5000 && took < 10_000, `${took} ms, while a request was held back`);
    assert.equal(await receive(silent), "");
  });
}

for (let time = 1; time <= STOPS; time++) {
  Deno.test(`told to stop under load, it gives every answer and ends at once, time ${time}`, async () => {
    await using server = await Server.start({ env: { ...UNLIMITED, ...COST } });
    const took = await stopUnderLoad(server);
    assert.ok(took < 5000, `${took} ms, with nobody who holds a request back`);
  });
}

/** Asserts that every login is answered that was under way; gives how long the end took. */
async function stopUnderLoad(server: Server, isInside = false): Promise<number> {
  const user = await server.register();
  const work = Promise.all(Array.from({ length: CLIENTS }, () => logIn(server, user)));
  await new Promise((resolve) => setTimeout(resolve, BEFORE));
  const signalled = performance.now();
  Deno.kill(isInside ? await childOf(server.pid) : server.pid, "SIGTERM");
  const { code } = await server.ended;
  const took = performance.now() - signalled;
  assert.equal(code, 0, server.stderr);
  const logins = (await work).flat().filter(({ sent }) => sent < signalled);
  assert.deepEqual(logins.filter(({ status }) => status === 0), [], "no answer at all");
  const due = logins.filter(({ sent }) => sent < signalled - ARRIVAL);
  assert.ok(due.some(({ answered }) => answered > signalled), "none was in flight");
  assert.deepEqual(due.filter(({ status }) => status !== 200), []);
  return took;
}

interface Login {
  sent: number;
  answered: number;
  /** 0 when the connection ended without an answer. */
  status: number;
}

/** Logs in over and over until the server does not take it any more. */
async function logIn(server: Server, user: Credentials): Promise<Login[]> {
  const logins: Login[] = [];
  for (let status = 200; status === 200;) {
    const sent = performance.now();
    ({ status } = await server.login(user).catch((): Pick<Answer, "status"> => ({ status: 0 })));
    logins.push({ sent, answered: performance.now(), status });
  }
  return logins;
}

async function childOf(pid: number): Promise<number> {
  const { stdout } = await new Deno.Command("pgrep", { args: ["-P", String(pid)] }).output();
  return Number(new TextDecoder().decode(stdout));
}
