import assert from "node:assert/strict";
import { within } from "../../lib/base/deadline.ts";

/** A test that also fails when a timer is left behind. */
function test(name: string, fn: () => Promise<void>): void {
  Deno.test({ name, fn, sanitizeOps: true });
}

test("within() says true as soon as the work is done, and leaves no timer behind", async () => {
  assert.equal(await within(1_000_000, Promise.resolve("done")), true);
  const { promise, resolve } = Promise.withResolvers<void>();
  const waiting = within(1_000_000, promise);
  resolve();
  assert.equal(await waiting, true);
});

test("within() says false when the work is not done in time", async () => {
  const { promise, resolve } = Promise.withResolvers<void>();
  assert.equal(await within(1, promise), false);
  resolve();
});

test("within() waits for work that takes a while", async () => {
  const work = new Promise((resolve) => setTimeout(resolve, 5));
  assert.equal(await within(1_000_000, work), true);
});

test("within() fails with the work, and leaves no timer behind", async () => {
  const failing = Promise.reject(new TypeError("it broke"));
  await assert.rejects(within(1_000_000, failing), /it broke/);
});

test("within() lets work that fails after the deadline fail unseen", async () => {
  const { promise, reject } = Promise.withResolvers<void>();
  assert.equal(await within(1, promise), false);
  reject(new TypeError("too late"));
  // An unhandled rejection would end the process here.
  await new Promise((resolve) => setTimeout(resolve, 0));
  assert.equal(await within(1, Promise.resolve()), true);
});
