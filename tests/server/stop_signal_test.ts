import assert from "node:assert/strict";
import { StopSignal } from "../../lib/server/stop_signal.ts";

/** A process that only notes its end; a real signal would reach the test runner, too. */
interface Process {
  /** The exit codes with which it would have ended. */
  codes: number[];
  /** Whether anybody listens to the signal. */
  listens(name: Deno.Signal): boolean;
  send(name: Deno.Signal): void;
}

async function inProcess(body: (process: Process) => Promise<void> | void): Promise<void> {
  const { exit, addSignalListener, removeSignalListener } = Deno;
  const codes: number[] = [];
  const listeners = new Map<Deno.Signal, Set<() => void>>();
  const of = (name: Deno.Signal) => listeners.get(name) ?? new Set();
  Deno.exit = ((code: number) => void codes.push(code)) as typeof Deno.exit;
  Deno.addSignalListener = (name, listener) =>
    void listeners.set(name, new Set([...of(name), listener]));
  Deno.removeSignalListener = (name, listener) => void of(name).delete(listener);
  try {
    await body({
      codes,
      listens: (name) => of(name).size > 0,
      send: (name) => of(name).forEach((listener) => listener()),
    });
  } finally {
    Object.assign(Deno, { exit, addSignalListener, removeSignalListener });
  }
}

Deno.test("StopSignal takes the first signal from the moment it is made, and ends at the second", async () => {
  const cases = [["SIGTERM", "SIGINT", 130], ["SIGINT", "SIGTERM", 143]] as const;
  for (const [first, second, code] of cases) {
    await inProcess(async ({ codes, send }) => {
      const stop = new StopSignal();
      assert.equal(stop.isReceived, false);
      send(first);
      assert.equal(stop.isReceived, true);
      assert.equal(await stop.received, first);
      assert.deepEqual(codes, []);
      send(second);
      assert.deepEqual(codes, [code]);
      assert.equal(await stop.received, first);
    });
  }
});

Deno.test("StopSignal.release() gives the signals their usual effect back", async () => {
  await inProcess(({ codes, listens }) => {
    const stop = new StopSignal();
    for (const name of ["SIGTERM", "SIGINT"] as const) assert.equal(listens(name), true);
    stop.release();
    for (const name of ["SIGTERM", "SIGINT"] as const) assert.equal(listens(name), false);
    assert.equal(stop.isReceived, false);
    assert.deepEqual(codes, []);
  });
});

Deno.test("StopSignal.release() ends the process that was asked to end by then", async () => {
  for (const [name, code] of [["SIGTERM", 143], ["SIGINT", 130]] as const) {
    await inProcess(async ({ codes, send }) => {
      const stop = new StopSignal();
      send(name);
      await stop.received;
      assert.deepEqual(codes, []);
      stop.release();
      assert.deepEqual(codes, [code]);
    });
  }
});
