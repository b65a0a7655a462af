import assert from "node:assert/strict";
import { KeyPool } from "../../lib/keys/key_pool.ts";

const ALG = "ES256";

/** A pool of numbers for one algorithm, whose making ends when the test says so. */
function controlledPool() {
  const making: PromiseWithResolvers<number>[] = [];
  const pool = new KeyPool((_alg: typeof ALG) => {
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
  pool.prepare(ALG, 3);
  assert.equal(making.length, 3);
  assert.equal(pool.take(ALG), undefined);
});

Deno.test("KeyPool.prepare() starts only what is missing beside the ready and the coming", async () => {
  const { pool, making } = controlledPool();
  pool.prepare(ALG, 2);
  pool.prepare(ALG, 2);
  assert.equal(making.length, 2);
  making[0]!.resolve(0);
  await settle();
  pool.prepare(ALG, 2);
  assert.equal(making.length, 2);
  pool.prepare(ALG, 3);
  assert.equal(making.length, 3);
  assert.equal(pool.take(ALG), 0);
  pool.prepare(ALG, 3);
  assert.equal(making.length, 4);
});

Deno.test("KeyPool.take() gives keys in the order in which they are finished, each once", async () => {
  const { pool, making } = controlledPool();
  pool.prepare(ALG, 3);
  for (const index of [2, 0, 1]) making[index]!.resolve(index);
  await settle();
  assert.deepEqual([pool.take(ALG), pool.take(ALG), pool.take(ALG), pool.take(ALG)], [
    2,
    0,
    1,
    undefined,
  ]);
});

Deno.test("KeyPool.readied() resolves with the first key that is finished", async () => {
  const { pool, making } = controlledPool();
  pool.prepare(ALG, 2);
  let isReady = false;
  const readied = pool.readied(ALG).then(() => isReady = true);
  await settle();
  assert.equal(isReady, false);
  making[1]!.resolve(1);
  await readied;
  assert.equal(pool.take(ALG), 1);
});

Deno.test("KeyPool.readied() resolves at once while a key is there", async () => {
  const { pool, making } = controlledPool();
  pool.prepare(ALG, 2);
  making[0]!.resolve(0);
  await settle();
  await pool.readied(ALG);
  assert.equal(pool.take(ALG), 0);
});

Deno.test("KeyPool.readied() fails when a generation fails, and prepare() tries again", async () => {
  const { pool, making } = controlledPool();
  pool.prepare(ALG, 1);
  making[0]!.reject(new Error("no entropy"));
  await assert.rejects(pool.readied(ALG), /no entropy/);
  pool.prepare(ALG, 1);
  assert.equal(making.length, 2);
  making[1]!.resolve(1);
  await pool.readied(ALG);
  assert.equal(pool.take(ALG), 1);
});

Deno.test("KeyPool survives a failed generation that nobody waits for", async () => {
  const { pool, making } = controlledPool();
  pool.prepare(ALG, 2);
  making[0]!.reject(new Error("no entropy"));
  making[1]!.resolve(1);
  await settle();
  assert.equal(pool.take(ALG), 1);
});

Deno.test("KeyPool keeps what it makes for one algorithm apart from another's", async () => {
  const made: string[] = [];
  const pool = new KeyPool((alg: "ES256" | "EdDSA") => {
    made.push(alg);
    return Promise.resolve(`${alg} ${made.length}`);
  });
  pool.prepare("ES256", 2);
  await pool.readied("ES256");
  await settle();
  assert.equal(pool.take("EdDSA"), undefined);
  pool.prepare("EdDSA", 1); // what is ready for the other does not count
  assert.deepEqual(made, ["ES256", "ES256", "EdDSA"]);
  await pool.readied("EdDSA");
  assert.equal(pool.take("EdDSA"), "EdDSA 3");
  assert.deepEqual([pool.take("ES256"), pool.take("ES256")], ["ES256 1", "ES256 2"]);
});

Deno.test("KeyPool.readied() is told of its own algorithm's failures only", async () => {
  const pool = new KeyPool((alg: "ES256" | "ML-DSA-44") =>
    alg === "ES256" ? Promise.resolve(1) : Promise.reject(new Error("no such algorithm"))
  );
  pool.prepare("ML-DSA-44", 1);
  pool.prepare("ES256", 1);
  await pool.readied("ES256");
  assert.equal(pool.take("ES256"), 1);
  pool.prepare("ML-DSA-44", 1);
  await assert.rejects(pool.readied("ML-DSA-44"), /no such algorithm/);
});
