/** A fair queue whose works end when the test says so. */

import assert from "node:assert/strict";
import { FairQueue, type FairQueueOptions } from "../../lib/accounts/fair_queue.ts";
import { isDomainError } from "../../lib/base/errors.ts";
import { FakeClock } from "../support.ts";

/** Lets everything run on that waits for nothing else. */
export async function settle(): Promise<void> {
  for (let turn = 0; turn < 10; turn++) await Promise.resolve();
}

/** A queue whose works end when the test says so, and what has become of each by then. */
export function makeQueue(options: Partial<FairQueueOptions> = {}) {
  const time = new FakeClock();
  const queue = new FairQueue({
    concurrency: 1,
    patience: Infinity,
    capacity: 100,
    now: time.clock,
    ...options,
  });
  const begun: string[] = [];
  const refused: string[] = [];
  const running: (() => void)[] = [];
  const add = (owner: string, name = owner) => {
    const work = () => {
      begun.push(name);
      return new Promise<void>((resolve) => running.push(resolve));
    };
    queue.run(owner, work).catch((error) => {
      assert.ok(isDomainError(error, "overloaded"));
      assert.equal(error.data.retryAfter, 1);
      refused.push(name);
    });
  };
  /** Ends the oldest running work, `milliseconds` after now. */
  const finish = async (milliseconds = 0) => {
    time.now += milliseconds;
    running.shift()!();
    await settle();
  };
  return { queue, add, finish, begun, refused, running };
}
