import assert from "node:assert/strict";
import { storageUnavailable } from "../../lib/base/errors.ts";
import { beginRun, endRun } from "../../lib/server/run_mark.ts";
import { failureOf, recordingLog } from "../support.ts";

Deno.test("beginRun() and endRun() go on without the mark on a disk that cannot be written", async () => {
  const { log, lines } = recordingLog();
  const fail = () => Promise.reject(storageUnavailable("read-only"));
  const storage = { beginRun: fail, endRun: fail };
  await beginRun({ storage, log });
  await endRun({ storage, log });
  const [begun, ended] = lines.map((line) => JSON.parse(line));
  assert.deepEqual([begun.level, ended.level], ["debug", "warn"]);
  assert.match(ended.message, /the end of this server/);
});

Deno.test("beginRun() and endRun() hide no other fault", async () => {
  const { log } = recordingLog();
  const fail = () => Promise.reject(new TypeError("a fault"));
  const storage = { beginRun: fail, endRun: fail };
  for (const mark of [beginRun, endRun]) {
    assert.ok(await failureOf(() => mark({ storage, log })) instanceof TypeError);
  }
});
