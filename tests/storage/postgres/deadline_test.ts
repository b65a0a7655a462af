import assert from "node:assert/strict";
import { Deadline, DeadlineExceeded } from "../../../lib/storage/postgres/deadline.ts";

const never = new Promise<never>(() => {});

Deno.test("Deadline.wait() gives what comes in time, and throws what fails in time", async () => {
  using deadline = new Deadline(10_000);
  assert.equal(await deadline.wait(() => Promise.resolve(7)), 7);
  await assert.rejects(deadline.wait(() => Promise.reject(new Error("x"))), /x/);
});

Deno.test("Deadline.wait() waits no longer than all of it may take, and then begins nothing", async () => {
  using deadline = new Deadline(5);
  await assert.rejects(deadline.wait(() => never), new DeadlineExceeded(5));
  let begun = 0;
  await assert.rejects(
    deadline.wait(() => Promise.resolve(begun++)),
    new DeadlineExceeded(5),
  );
  assert.equal(begun, 0);
});
