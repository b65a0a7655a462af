import assert from "node:assert/strict";
import v8 from "node:v8";
import vm from "node:vm";
import { SlidingWindow } from "../../lib/limits/sliding_window.ts";

const CLIENTS = 300_000;

v8.setFlagsFromString("--expose-gc");
const collect: () => void = vm.runInNewContext("gc");

/** The bytes that are held, in the heap and beside it. */
function held(): number {
  collect();
  const { heapUsed, external } = Deno.memoryUsage();
  return heapUsed + external;
}

function nameOf(client: number): string {
  return `2001:db8:${(client >> 16).toString(16)}:${(client & 0xffff).toString(16)}::/64`;
}

Deno.test("SlidingWindow holds 300,000 clients in less than 600 bytes each, and forgets none of them", () => {
  let now = 0;
  const sliding = new SlidingWindow({ limit: 1, window: 1000, now: () => now });
  const before = held();
  for (let client = 0; client < CLIENTS; client++) {
    assert.equal(sliding.admit(nameOf(client)).admitted, true);
  }
  const each = (held() - before) / CLIENTS;
  assert.ok(each < 600, `${each} bytes a client`);
  now = 999;
  for (let client = 0; client < CLIENTS; client += 1000) {
    assert.equal(sliding.admit(nameOf(client)).admitted, false, "more clients let none in again");
  }
  assert.equal(sliding.clients, CLIENTS);
});

Deno.test("SlidingWindow drops idle clients as others come, a few with each, until none is left", () => {
  const IDLE = 30_000;
  let now = 0;
  const sliding = new SlidingWindow({ limit: 1, window: 1000, now: () => now });
  for (let client = 0; client < IDLE; client++) sliding.admit(nameOf(client));
  now = 1000;
  let last = IDLE;
  for (let come = 1; sliding.clients > come; come++) {
    assert.equal(sliding.admit(`new ${come}`).admitted, true);
    const dropped = last + 1 - sliding.clients;
    assert.ok(dropped > 0 && dropped <= 1000, `${dropped} at once keep everybody waiting`);
    last = sliding.clients;
  }
  assert.ok(sliding.clients <= 31);
});

Deno.test("SlidingWindow admits an idle client that was not dropped yet as a new one", () => {
  let now = 0;
  const sliding = new SlidingWindow({ limit: 1, window: 1000, now: () => now });
  for (let client = 0; client < 5000; client++) sliding.admit(nameOf(client));
  now = 1000;
  assert.equal(sliding.admit(nameOf(4999)).admitted, true);
  assert.equal(sliding.admit(nameOf(4999)).admitted, false);
});
