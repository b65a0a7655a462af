/** Passwords as an operator's commands hash them: nobody else waits for that. */

import type { Argon2Cost } from "../base/argon2_cost.ts";
import { FairQueue } from "./fair_queue.ts";
import { PasswordHasher } from "./password.ts";

/** For whom an operator's passwords are hashed. */
export const OPERATOR = "operator";

export function createOperatorHasher(cost: Argon2Cost): PasswordHasher {
  const now = () => performance.now();
  const queue = new FairQueue({ concurrency: 1, patience: Infinity, capacity: 1, now });
  return new PasswordHasher(cost, queue);
}
