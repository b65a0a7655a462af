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

/** What was sent so long before the signal has reached the server, in milliseconds. */
const ARRIVAL = 60;

/** A password that takes long enough to check for some always to wait. */
const COST = { ARGON2_MEMORY_KIB: "16384", ARGON2_PASSES: "4" };

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
    const user = await server.register();
    using silent = await connect(server.url);
    using stalled = await connect(server.url);
    await send(stalled, `${HEAD}Content-Length: 100\r\n\r\n{"username":`);
    const work = Promise.all(Array.from({ length: CLIENTS }, () => logIn(server, user)));
    await new Promise((resolve) => setTimeout(resolve, BEFORE));
    const signalled = performance.now();
    Deno.kill(wrapper.length === 0 ? server.pid : await childOf(server.pid), "SIGTERM");
    const { code } = await server.ended;
    const took = performance.now() - signalled;
    assert.equal(code, 0, server.stderr);
    assert.ok(took > 5000 && took < 10_000, `${took} ms, while a request was held back`);
    const due = (await work).flat().filter(({ sent }) => sent < signalled - ARRIVAL);
    const late = due.filter(({ answered }) => answered > signalled);
    assert.ok(late.length > 0, "none was in flight");
    assert.deepEqual(due.filter(({ status }) => status !== 200), []);
    assert.equal(await receive(silent), "");
  });
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
