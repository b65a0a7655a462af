/** What is on the disk before an answer leaves, as the kernel is asked for it. */

import assert from "node:assert/strict";
import { Directory, Server, UNLIMITED } from "../blackbox/harness.ts";
import { accessToken } from "./acknowledged.ts";
import { form } from "./form.ts";
import { Recording } from "./recording.ts";
import { CHEAP_KEYS, fill } from "./restarted.ts";
import { type Call, canTrace, fileOf, stringsOf } from "./syscalls.ts";

/** Clients at a time, so that some may share a commit. */
const CLIENTS = 6;

/** Registrations and logins of each. */
const ROUNDS = form(5, 50);

const WRITING = /^POST \/(register|auth|token)\b/;

Deno.test({
  name: "before each 2xx of /register, /auth and /token the log is synchronized that holds its row",
  ignore: !canTrace,
}, async () => {
  await using directory = new Directory();
  await fill(directory);
  const { calls } = await Recording.make(directory, async (wrapper) => {
    const env = { ...CHEAP_KEYS, ...UNLIMITED };
    await using server = await Server.start({ directory, env, wrapper });
    await Promise.all(Array.from({ length: CLIENTS }, () => work(server)));
    await server.stop();
  });
  const log = `${directory.database}-wal`;
  const answers = answersOf(calls);
  assert.equal(answers.length, CLIENTS * ROUNDS * 3);
  for (const { asked, answered, request } of answers) {
    const within = calls.filter(({ begin, end }) => begin > asked && end < answered);
    const writes = within.filter((call) => call.name === "pwrite64" && fileOf(call) === log);
    const syncs = within.filter((call) => /^f(data)?sync$/.test(call.name) && fileOf(call) === log);
    const isDurable = syncs.some((sync) =>
      sync.result === 0 && writes.some(({ end }) => end < sync.begin)
    );
    assert.ok(isDurable, `${request}: ${writes.length} writes, ${syncs.length} synchronizations`);
  }
});

async function work(server: Server): Promise<void> {
  for (let round = 0; round < ROUNDS; round++) {
    const user = await server.register();
    await server.token(user);
    await accessToken(server, user);
  }
}

interface Traced {
  request: string;
  /** The lines of the trace at which the request had arrived, and at which its answer left. */
  asked: number;
  answered: number;
}

/** The requests that write and were answered with 2xx, by the sockets that they came over. */
function answersOf(calls: readonly Call[]): Traced[] {
  const open = new Map<string, { request: string; asked: number }>();
  const found: Traced[] = [];
  for (const call of calls) {
    const socket = fileOf(call);
    if (socket === undefined) continue;
    const [bytes] = stringsOf(call);
    const text = bytes === undefined ? "" : new TextDecoder().decode(bytes);
    const [request] = WRITING.exec(text) ?? [];
    if (call.name === "recvfrom" && request !== undefined) {
      open.set(socket, { request, asked: call.end });
    }
    const asked = open.get(socket);
    if (asked === undefined || !/^HTTP\/1\.1 2/.test(text)) continue;
    found.push({ ...asked, answered: call.begin });
    open.delete(socket);
  }
  return found;
}
