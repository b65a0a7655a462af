/** What a decision of the rate limit costs. */

import { SlidingWindow } from "../../lib/limits/sliding_window.ts";
import type { Row } from "./row.ts";
import { inTurns, median, type Take } from "./statistics.ts";

const ROUNDS = 51;
const DECISIONS = 100_000;
const [LARGE, SMALL] = [100_000, 10];

/** In milliseconds. */
const WINDOW = 1000;

/** Nanoseconds for one decision while a full window slides, at a large limit against a small one. */
export async function measureLimiter(): Promise<Row[]> {
  const [ours, theirs] = await inTurns(ROUNDS, slidingAt(LARGE), slidingAt(SMALL));
  return [{
    what: "Decision of the limiter at limit 100,000, against limit 10",
    unit: "ns",
    measured: median(ours),
    baseline: median(theirs),
    goal: ["at most", 3],
  }];
}

/**
 * A client who has sent as much as is admitted, evenly over the window, and goes on at twice that
 * rate: every second request comes when the oldest has just left, and the others are rejected.
 */
function slidingAt(limit: number): Take {
  const step = WINDOW / limit;
  let now = 0;
  const sliding = new SlidingWindow({ limit, window: WINDOW, now: () => now });
  for (let sent = 0; sent < limit; sent++, now += step) sliding.admit("client");
  return () => {
    let admitted = 0;
    const start = performance.now();
    for (let sent = 0; sent < DECISIONS; sent++, now += step / 2) {
      if (sliding.admit("client").admitted) admitted++;
    }
    const elapsed = performance.now() - start;
    if (Math.abs(admitted - DECISIONS / 2) > 2) throw new Error(`${admitted} were admitted`);
    return elapsed * 1e6 / DECISIONS;
  };
}
