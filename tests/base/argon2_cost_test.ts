import assert from "node:assert/strict";
import {
  type Argon2Cost,
  Argon2CostSchema,
  KIB_A_LANE,
  MOST_EXPENSIVE,
  RECOMMENDED_COST,
} from "../../lib/base/argon2_cost.ts";
import { CHEAP } from "../support.ts";

/** Whether a cost that differs from the recommended one in this is taken. */
function isTaken(other: Partial<Record<keyof Argon2Cost, unknown>>): boolean {
  return Argon2CostSchema.safeParse({ ...RECOMMENDED_COST, ...other }).success;
}

Deno.test("Argon2CostSchema takes what is recommended, the cheapest and the most expensive cost", () => {
  assert.deepEqual(RECOMMENDED_COST, { memoryKib: 64 * 1024, passes: 3, lanes: 4 });
  for (const cost of [RECOMMENDED_COST, CHEAP, MOST_EXPENSIVE]) {
    assert.deepEqual(Argon2CostSchema.parse(cost), cost);
  }
});

Deno.test("Argon2CostSchema refuses what would take all memory or years", () => {
  assert.deepEqual(MOST_EXPENSIVE, { memoryKib: 1024 * 1024, passes: 64, lanes: 255 });
  for (const name of ["memoryKib", "passes", "lanes"] as const) {
    assert.equal(isTaken({ [name]: MOST_EXPENSIVE[name] }), true, name);
    for (const more of [MOST_EXPENSIVE[name] + 1, 2 ** 32, Infinity]) {
      assert.equal(isTaken({ [name]: more }), false, `${name} ${more}`);
    }
  }
});

Deno.test("Argon2CostSchema refuses a cost that Argon2 does not have", () => {
  for (const name of ["memoryKib", "passes", "lanes"] as const) {
    for (const value of [0, -1, 10.5, NaN, "64", null, undefined]) {
      assert.equal(isTaken({ [name]: value }), false, `${name} ${value}`);
    }
  }
});

Deno.test("Argon2CostSchema refuses less memory than its lanes need", () => {
  for (const lanes of [1, 4, 255]) {
    const memoryKib = KIB_A_LANE * lanes;
    assert.equal(isTaken({ lanes, memoryKib }), true, `${lanes}`);
    assert.equal(isTaken({ lanes, memoryKib: memoryKib - 1 }), false, `${lanes}`);
  }
});
