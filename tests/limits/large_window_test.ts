import assert from "node:assert/strict";
import fc from "fast-check";
import { SlidingWindow } from "../../lib/limits/sliding_window.ts";

const LIMIT = 100_000;
const WINDOW = 1000;

/** The definition for one client (`sliding_window_test.ts`), with a place in the list of all admissions in place of a search. */
class OneClient {
  readonly #times: number[] = [];
  #first = 0;

  constructor(readonly limit: number) {}

  admit(now: number) {
    const horizon = now - WINDOW;
    while (this.#first < this.#times.length && this.#times[this.#first]! <= horizon) this.#first++;
    const admitted = this.#times.length - this.#first < this.limit;
    if (admitted) this.#times.push(now);
    const remaining = this.limit - (this.#times.length - this.#first);
    const resetIn = this.#times[this.#first]! - horizon;
    return { admitted, remaining, resetIn, retryIn: remaining > 0 ? 0 : resetIn };
  }
}

/** The places of every log of times that is made while `body` runs. */
function placesMadeBy(body: () => void): number[] {
  const places: number[] = [];
  const { Float64Array } = globalThis;
  globalThis.Float64Array = class extends Float64Array {
    constructor(length: number) {
      super(length);
      places.push(length);
    }
  } as Float64ArrayConstructor;
  try {
    body();
  } finally {
    globalThis.Float64Array = Float64Array;
  }
  return places;
}

Deno.test("SlidingWindow.admit() at a limit of 100,000 decides as the definition does around a full window", () => {
  let now = 0;
  const sliding = new SlidingWindow({ limit: LIMIT, window: WINDOW, now: () => now });
  const definition = new OneClient(LIMIT);
  const admit = () => {
    const own = sliding.admit("a");
    assert.deepEqual(own, definition.admit(now));
    return own;
  };
  /** Decides like `admit`, a comparison for every thousandth only: a comparison is slow. */
  const admitMany = (count: number) => {
    let admitted = 0;
    for (let sent = 0; sent < count; sent++) {
      const own = sent % 1000 === 0 ? admit() : (definition.admit(now), sliding.admit("a"));
      if (own.admitted) admitted++;
    }
    return admitted;
  };

  for (let step = 0; step < 10; step++, now += 50) assert.equal(admitMany(9_999), 9_999);
  now = 500;
  assert.equal(admitMany(9), 9);
  assert.equal(admit().remaining, 0, "the window is full");
  assert.equal(admit().admitted, false);
  assert.equal(admitMany(5_000), 0);
  now = WINDOW - 1;
  assert.equal(admit().retryIn, 1);
  now = WINDOW;
  assert.equal(admitMany(20_000), 9_999, "what came first has left");
  for (now = 1025; now < 4000; now += 25) admitMany(7_000);
  now = 4999;
  assert.equal(admit().admitted, true);
  now = 10_000;
  assert.equal(admitMany(LIMIT + 1), LIMIT, "a window of one moment");
});

Deno.test("SlidingWindow.admit() decides as the definition does while its log grows and turns round", () => {
  const bursts = fc.array(
    fc.record({ wait: fc.nat(WINDOW / 2), count: fc.nat(60) }),
    { minLength: 1, maxLength: 30 },
  );
  fc.assert(fc.property(fc.integer({ min: 1, max: 200 }), bursts, (limit, list) => {
    let now = 0;
    const sliding = new SlidingWindow({ limit, window: WINDOW, now: () => now });
    const definition = new OneClient(limit);
    for (const { wait, count } of list) {
      now += wait;
      for (let sent = 0; sent < count; sent++) {
        assert.deepEqual(sliding.admit("a"), definition.admit(now));
      }
    }
  }));
});

Deno.test("SlidingWindow keeps no more places for a client than its limit, through full windows", () => {
  for (const limit of [1, 10, 16, 17, 1000, LIMIT]) {
    let now = 0;
    const sliding = new SlidingWindow({ limit, window: WINDOW, now: () => now });
    const places = placesMadeBy(() => {
      for (let round = 0; round < 3; round++, now += WINDOW / 2) {
        for (let sent = 0; sent < limit + 10; sent++) sliding.admit("a");
      }
    });
    assert.equal(Math.max(...places), limit);
    assert.ok(places.length <= 40, `${places.length} logs: it grows by too little`);
  }
});

Deno.test("SlidingWindow keeps few places for a client that sends little, whatever the limit", () => {
  let now = 0;
  const sliding = new SlidingWindow({ limit: LIMIT, window: WINDOW, now: () => now });
  const places = placesMadeBy(() => {
    for (let sent = 0; sent < 2000; sent++, now += 100) sliding.admit("a");
  });
  assert.ok(places.length > 0 && Math.max(...places) <= 100, places.join());
});
