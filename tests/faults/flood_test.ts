/** A flood of wrong passwords at the full cost of Argon2, and what others notice of it. */

import assert from "node:assert/strict";
import { Helper } from "../bench/helper.ts";
import { Server, UNLIMITED } from "../blackbox/harness.ts";
import { settled } from "../blackbox/keys.ts";
import { memory, MIB } from "../blackbox/memory.ts";
import { form } from "./form.ts";

const PARALLEL = 200;
const ADDRESSES = 40;

/** How long it is watched, in milliseconds. */
const WATCHED = form(2000, 20_000);

/** What a time may be exceeded by where others may be using the machine, too. */
const SLACK = form(10, 1);

/** The times, in milliseconds. */
const MOST = { refusal: 100 * SLACK, jwks: 100 * SLACK, remembered: 250 * SLACK };

Deno.test(`${PARALLEL} wrong passwords at a time keep memory flat, are refused at once, and hold up nobody else`, async () => {
  await using server = await Server.start({ isFullCost: true, env: UNLIMITED });
  await settled(server);
  using bystander = server.from("127.0.2.1");
  const user = await bystander.register();
  await bystander.token(user);
  const probes = {
    jwks: async () => assert.equal((await bystander.jwks()).status, 200),
    remembered: () => bystander.token(user),
  };
  await using flood = new Helper("../faults/flooding.ts", [
    server.url,
    String(PARALLEL),
    String(ADDRESSES),
  ]);
  await flood.line();
  const times: Record<keyof typeof probes, number[]> = { jwks: [], remembered: [] };
  for (const end = performance.now() + WATCHED; performance.now() < end;) {
    for (const [what, probe] of Object.entries(probes) as [keyof typeof probes, () => unknown][]) {
      const start = performance.now();
      await probe();
      times[what].push(performance.now() - start);
    }
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
  const answers: [status: number, milliseconds: number][] = JSON.parse(await flood.ask());
  const peak = await memory(server.pid, "VmHWM");

  assert.deepEqual(new Set(answers.map(([status]) => status)), new Set([401, 503]));
  const refusals = answers.filter(([status]) => status === 503).map(([, time]) => time);
  assert.ok(refusals.length > PARALLEL, `${refusals.length} refusals are no flood`);
  assert.ok(peak < 400 * MIB, `${peak} KiB`);
  assertBelow(MOST.refusal, quantile(refusals, 0.5), "the median refusal");
  assertBelow(MOST.jwks, quantile(times.jwks, 0.99), "the JWK set, in 99 of 100 cases,");
  const remembered = quantile(times.remembered, 0.99);
  assertBelow(MOST.remembered, remembered, "a remembered login, in 99 of 100 cases,");
});

function quantile(values: readonly number[], share: number): number {
  return values.toSorted((one, other) => one - other)[Math.floor(share * values.length)]!;
}

function assertBelow(most: number, measured: number, what: string): void {
  assert.ok(measured < most, `${what} took ${Math.round(measured)} ms, not below ${most}`);
}
