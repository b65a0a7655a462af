import assert from "node:assert/strict";
import { KeyPool } from "../../lib/keys/key_pool.ts";

/** A pool of numbers whose making ends when the test says so. */
function controlledPool() {
  const making: PromiseWithResolvers<number>[] = [];
  const pool = new KeyPool(() => {
    const one = Promise.withResolvers<number>();
    making.push(one);
    return one.promise;
  });
  return { pool, making };
}

async function settle(): Promise<void> {
  for (let turn = 0; turn < 10; turn++) await Promise.resolve();
}

Deno.test("KeyPool.prepare() starts all generations at once", () => {
  const { pool, making } = controlledPool();
  pool.prepare(3);
  assert.equal(making.length, 3);
  assert.equal(pool.take(), undefined);
});

Deno.test("KeyPool.prepare() starts only what is missing beside the ready and the coming", async () => {
  const { pool, making } = controlledPool();
  pool.prepare(2);
  pool.prepare(2);
  assert.equal(making.length, 2);
  making[0]!.resolve(0);
  await settle();
  pool.prepare(2);
  assert.equal(making.length, 2);
  pool.prepare(3);
  assert.equal(making.length, 3);
  assert.equal(pool.take(), 0);
  pool.prepare(3);
  assert.equal(making.length, 4);
});

Deno.test("KeyPool.take() gives keys in the order in which they are finished, each once", async () => {
  const { pool, making } = controlledPool();
  pool.prepare(3);
  for (const index of [2, 0, 1]) making[index]!.resolve(index);
  await settle();
  assert.deepEqual([pool.take(), pool.take(), pool.take(), pool.take()], [2, 0, 1, undefined]);
});

Deno.test("KeyPool.readied() resolves with the first key that is finished", async () => {
  const { pool, making } = controlledPool();
  pool.prepare(2);
  let isReady = false;
  const readied = pool.readied().then(() => isReady = true);
  await settle();
  assert.equal(isReady, false);
  making[1]!.resolve(1);
  await readied;
  assert.equal(pool.take(), 1);
});

Deno.test("KeyPool.readied() resolves at once while a key is there", async () => {
  const { pool, making } = controlledPool();
  pool.prepare(2);
  making[0]!.resolve(0);
  await settle();
  await pool.readied();
  assert.equal(pool.take(), 0);
});

Deno.test("KeyPool.readied() fails when a generation fails, and prepare() tries again", async () => {
  const { pool, making } = controlledPool();
  pool.prepare(1);
  making[0]!.reject(new Error("no entropy"));
  await assert.rejects(pool.readied(), /no entropy/);
  pool.prepare(1);
  assert.equal(making.length, 2);
  making[1]!.resolve(1);
  await pool.readied();
  assert.equal(pool.take(), 1);
});

Deno.test("KeyPool survives a failed generation that nobody waits for", async () => {
  const { pool, making } = controlledPool();
  pool.prepare(2);
  making[0]!.reject(new Error("no entropy"));
  making[1]!.resolve(1);
  await settle();
  assert.equal(pool.take(), 1);
});

Deno.test("KeyPool.putBack() gives the key to the next who takes one", async () => {
  const { pool, making } = controlledPool();
  pool.prepare(2);
  making[0]!.resolve(0);
  making[1]!.resolve(1);
  await settle();
  const unused = pool.take()!;
  pool.putBack(unused);
  assert.deepEqual([pool.take(), pool.take()], [unused, 1]);
});
