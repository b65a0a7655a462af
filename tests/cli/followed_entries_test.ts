import assert from "node:assert/strict";
import { followedEntries } from "../../lib/cli/followed_entries.ts";
import type { RowId } from "../../lib/storage/storage.ts";

function entry(id: number) {
  return { id, ip: "::1", at: 0, oddTime: null, username: null };
}

/** What is told while entries come as `rounds` say: in each, some ids, and the time that has passed. */
async function told(start: number, rounds: readonly { come: number[]; after?: number }[]) {
  const there: number[] = [];
  const reads: number[] = [];
  const shown: RowId[] = [];
  const left = [...rounds];
  let time = 0;
  const enter = () => {
    const round = left.shift();
    if (round === undefined) return false;
    time += round.after ?? 500;
    there.push(...round.come);
    there.sort((one, other) => one - other);
    return true;
  };
  enter();
  const end = new Error("the last round is over");
  const read = async function* (afterId: RowId) {
    const ids = there.filter((id) => id > Number(afterId));
    reads.push(ids.length);
    for (let first = 0; first <= ids.length; first += 100) {
      yield await Promise.resolve(ids.slice(first, first + 100).map(entry));
    }
  };
  const wait = () => enter() ? Promise.resolve() : Promise.reject(end);
  try {
    for await (const entries of followedEntries(start, { read, wait, now: () => time })) {
      shown.push(...entries.map(({ id }) => id));
    }
  } catch (error) {
    if (error !== end) throw error;
  }
  return { shown, reads };
}

Deno.test("followedEntries() gives every entry after the start once, in the order in which they come", async () => {
  const { shown } = await told(2, [{ come: [1, 2, 3, 4] }, { come: [] }, { come: [5, 6] }]);
  assert.deepEqual(shown, [3, 4, 5, 6]);
});

Deno.test("followedEntries() gives an entry that is seen after those with greater ids", async () => {
  const { shown } = await told(0, [
    { come: [1, 3] },
    { come: [6] },
    { come: [2, 5], after: 3000 },
    { come: [4] },
  ]);
  assert.deepEqual(shown, [1, 3, 6, 2, 5, 4]);
});

Deno.test("followedEntries() reads nothing again that has been there for long", async () => {
  const { shown, reads } = await told(0, [
    { come: [1, 2] },
    { come: [3], after: 3999 },
    { come: [], after: 1 },
    { come: [], after: 3999 },
    { come: [] },
  ]);
  assert.deepEqual(shown, [1, 2, 3]);
  assert.deepEqual(reads, [2, 3, 3, 1, 0]);
});

Deno.test("followedEntries() reads few of many entries again", async () => {
  const many = Array.from({ length: 5000 }, (_, place) => 2 * place + 1);
  const { shown, reads } = await told(0, [{ come: many }, { come: [9998] }, { come: [10_001] }]);
  assert.deepEqual(shown, [...many, 9998, 10_001]);
  assert.deepEqual(reads, [5000, 1001, 1001]);
});
