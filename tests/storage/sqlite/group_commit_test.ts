import assert from "node:assert/strict";
import { storageUnavailable } from "../../../lib/base/errors.ts";
import { GroupCommit } from "../../../lib/storage/sqlite/group_commit.ts";

/** A group whose turns of the event loop are given by hand, and what was committed by it. */
function makeGroup({ write = (input: string) => input.toUpperCase() } = {}) {
  const next: (() => void)[] = [];
  const commits: string[][] = [];
  let fault: unknown;
  const group = new GroupCommit<string, string>({
    async transaction(body) {
      const written: string[] = [];
      open = written;
      const value = body();
      await Promise.resolve();
      if (fault !== undefined) throw fault;
      commits.push(written);
      return value;
    },
    write(input) {
      const result = write(input);
      open.push(input);
      return result;
    },
    schedule: (turn) => void next.push(turn),
  });
  let open: string[] = [];
  /** Gives everything that is scheduled its turn. */
  const turn = async () => {
    for (const one of next.splice(0)) one();
    await new Promise((resolve) => setTimeout(resolve));
  };
  const fail = (error: unknown) => void (fault = error);
  return { group, commits, turn, fail };
}

Deno.test("GroupCommit commits what came within a few turns together, in its order", async () => {
  const { group, commits, turn } = makeGroup();
  const results = [group.add("a"), group.add("b")];
  await turn();
  results.push(group.add("c"));
  await turn();
  assert.deepEqual(commits, []);
  await turn();
  assert.deepEqual(commits, [["a", "b", "c"]]);
  assert.deepEqual(await Promise.all(results), ["A", "B", "C"]);
});

Deno.test("GroupCommit answers nobody before the commit", async () => {
  const { group, commits, turn } = makeGroup();
  const seen = group.add("a").then(() => commits.length);
  await turn();
  assert.equal(await seen, 1);
});

Deno.test("GroupCommit commits in the end, however much goes on coming", async () => {
  const { group, commits, turn } = makeGroup();
  const first = group.add("first");
  for (let i = 0; commits.length === 0; i++) {
    assert.ok(i < 20);
    group.add("more");
    await turn();
  }
  assert.equal(await first, "FIRST");
});

Deno.test("GroupCommit begins anew after a commit", async () => {
  const { group, commits, turn } = makeGroup();
  for (const input of ["a", "b"]) {
    const result = group.add(input);
    for (let i = 0; i < 3; i++) await turn();
    assert.equal(await result, input.toUpperCase());
  }
  assert.deepEqual(commits, [["a"], ["b"]]);
});

Deno.test("GroupCommit fails all of a group when the storage fails, and goes on", async () => {
  const { group, commits, turn, fail } = makeGroup();
  fail(storageUnavailable("full"));
  const refused = Promise.allSettled([group.add("a"), group.add("b")]);
  for (let i = 0; i < 3; i++) await turn();
  for (const one of await refused) assert.equal(one.status, "rejected");
  assert.deepEqual(commits, []);
  fail(undefined);
  const result = group.add("c");
  for (let i = 0; i < 3; i++) await turn();
  assert.equal(await result, "C");
});

Deno.test("GroupCommit fails in a group only whose write fails", async () => {
  for (const error of [new Error("bad"), storageUnavailable("altered")]) {
    const write = (input: string) => {
      if (input === "bad") throw error;
      return input.toUpperCase();
    };
    const { group, commits, turn } = makeGroup({ write });
    const all = Promise.allSettled(["a", "bad", "b"].map((input) => group.add(input)));
    for (let i = 0; i < 3; i++) await turn();
    assert.deepEqual((await all).map(({ status }) => status), [
      "fulfilled",
      "rejected",
      "fulfilled",
    ]);
    assert.deepEqual(commits, [["a"], ["b"]]);
  }
});
