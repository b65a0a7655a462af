/** A log that nobody reads, though somebody holds its pipe: nothing waits for that. */

import assert from "node:assert/strict";
import { within } from "../../lib/base/deadline.ts";
import type { Credentials } from "../blackbox/client.ts";
import { Server, UNLIMITED } from "../blackbox/harness.ts";
import { memory, MIB } from "../blackbox/memory.ts";
import { form } from "./form.ts";

/** A pipe at both of whose ends is the server itself, which only writes. */
const UNREAD = "mkfifo pipe && exec 3<>pipe 2>pipe";

/** Lines of more than a kilobyte: a pipe takes 64 KiB, and in the full form more than may wait. */
const LINES = form(320, 24_000);

const PARALLEL = 16;

/** How long so many may take, in milliseconds: only a server that stands still comes near. */
const PATIENCE = 20_000;

Deno.test("with a log that nobody reads, the server answers, keeps its memory, and ends", async () => {
  await using server = await Server.start({ env: UNLIMITED, prelude: UNREAD });
  const user = await server.register();
  const database = server.openDatabase();
  const fail = "BEGIN SELECT RAISE(ABORT, 'so that every login is logged'); END";
  database.exec(`CREATE TRIGGER fault BEFORE INSERT ON auth_logs ${fail}`);
  await refuse(server, user, LINES / 2);
  const before = await memory(server.pid, "VmRSS");
  await refuse(server, user, LINES / 2);
  const grown = await memory(server.pid, "VmRSS") - before;
  assert.ok(grown < 128 * MIB, `${grown} KiB more`);
  database.exec("DROP TRIGGER fault");
  database.close();
  assert.equal(server.stderr, "", "somebody reads it");
  assert.equal((await server.jwks()).status, 200);
  await server.token(user);
  const start = performance.now();
  assert.equal((await server.stop()).code, 0);
  assert.ok(performance.now() - start < 4000);
});

/** Logs in so many times, and is refused for what is then logged. */
async function refuse(server: Server, user: Credentials, count: number): Promise<void> {
  for (let done = 0; done < count; done += PARALLEL) {
    const logins = Promise.all(Array.from({ length: PARALLEL }, () => server.login(user)));
    assert.ok(await within(PATIENCE, logins), "it does not answer any more");
    assert.deepEqual(new Set((await logins).map(({ status }) => status)), new Set([503]));
  }
}
