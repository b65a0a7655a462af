import assert from "node:assert/strict";
import { DomainError, storageUnavailable } from "../../lib/base/errors.ts";
import type { Signer } from "../../lib/keys/key_ring.ts";
import { Readiness } from "../../lib/server/readiness.ts";
import { recordingLog } from "../support.ts";

const NO_KEY = "No key can sign just now";
const NO_WRITE = "The database cannot be written just now";

/** A readiness whose parts fail as the test says, with a count of what was asked of them. */
function makeReadiness() {
  const failing: { sign?: Error | undefined; write?: Error | undefined } = {};
  const asked = { sign: 0, write: 0 };
  let time = 0;
  const { log, lines } = recordingLog();
  const { findHindrance } = new Readiness({
    ring: {
      signer: () => {
        asked.sign++;
        return failing.sign ? Promise.reject(failing.sign) : Promise.resolve({} as Signer);
      },
    },
    storage: {
      assertWritable: () => {
        asked.write++;
        return failing.write ? Promise.reject(failing.write) : Promise.resolve();
      },
    },
    now: () => time,
    log,
  });
  /** What is found once the last answer does not stand any more. */
  const findNext = () => {
    time += 1000;
    return findHindrance();
  };
  const messages = () => lines.map((line) => JSON.parse(line));
  return { failing, asked, findHindrance, findNext, messages, wait: (ms: number) => time += ms };
}

Deno.test("Readiness.findHindrance() finds none while a key signs and the storage takes a write", async () => {
  const { findHindrance, asked, messages } = makeReadiness();
  assert.equal(await findHindrance(), undefined);
  assert.deepEqual(asked, { sign: 1, write: 1 });
  assert.deepEqual(messages(), []);
});

Deno.test("Readiness.findHindrance() looks at most once a second, whoever asks, and not unasked", async () => {
  const { findHindrance, asked, wait, failing } = makeReadiness();
  assert.deepEqual(asked, { sign: 0, write: 0 });
  await Promise.all(Array.from({ length: 100 }, findHindrance));
  assert.deepEqual(asked, { sign: 1, write: 1 });
  failing.write = storageUnavailable("full");
  wait(999);
  assert.equal(await findHindrance(), undefined);
  wait(1);
  assert.equal(await findHindrance(), NO_WRITE);
  assert.deepEqual(asked, { sign: 2, write: 2 });
});

Deno.test("Readiness.findHindrance() says what is the matter, and nothing of the cause", async () => {
  const { failing, findNext } = makeReadiness();
  failing.write = storageUnavailable("read-only", new Error("/var/lib/secret.db"));
  assert.equal(await findNext(), NO_WRITE);
  failing.sign = new DomainError("overloaded", "No key can sign just now", { retryAfter: 1 });
  assert.equal(await findNext(), NO_KEY);
  failing.write = failing.sign = undefined;
  assert.equal(await findNext(), undefined);
});

Deno.test("Readiness.findHindrance() tells the log each cause once, and once that all is over", async () => {
  const { failing, findNext, messages } = makeReadiness();
  failing.write = storageUnavailable("full");
  for (let round = 0; round < 3; round++) await findNext();
  failing.sign = new Error("the disk is gone");
  for (let round = 0; round < 3; round++) await findNext();
  failing.sign = undefined;
  await findNext();
  failing.write = undefined;
  for (let round = 0; round < 3; round++) await findNext();
  assert.deepEqual(
    messages().map(({ level, message, hindrance, fault }) => [level, message, hindrance, fault]),
    [
      ["warn", "the server is not ready", NO_WRITE, "full"],
      ["warn", "the server is not ready", NO_KEY, undefined],
      ["warn", "the server is not ready", NO_WRITE, "full"],
      ["info", "the server is ready again", undefined, undefined],
    ],
  );
});
