/** Whether memory grows with the requests that were answered. */

import { Server, UNLIMITED } from "../blackbox/harness.ts";
import { settled } from "../blackbox/keys.ts";
import { memory, MIB } from "../blackbox/memory.ts";
import { CONNECTIONS, formLoad, jsonLoad, type Load, requestsPerSecond } from "./load.ts";
import type { Row } from "./row.ts";
import { median } from "./statistics.ts";

const [FEW, MANY] = [10_000, 1_000_000];

/** The share of each kind in all requests, in the order of `kindsOf`. */
const SHARES = [0.6, 0.3, 0.06, 0.04];

/** Stretches in which the requests of a kind are sent. */
const STRETCHES = 3;

/** Resident memory after a million mixed requests, against that after ten thousand. */
export async function measureMemory(): Promise<Row[]> {
  const env = { ...UNLIMITED, SIGNING_ALG: "EdDSA" };
  await using server = await Server.start({ isFullCost: true, env });
  await settled(server);
  const kinds = await kindsOf(server);
  await sendFew(kinds, FEW);
  const few = await resident(server);
  await sendMany(kinds, MANY - FEW);
  const many = await resident(server);
  return [{
    what: "Memory after 1,000,000 mixed requests, against 10,000",
    unit: "MiB",
    measured: many / MIB,
    baseline: few / MIB,
    goal: ["at most", 1.1],
  }];
}

/** The JWK set, whole and not modified, and tokens by two ways. */
async function kindsOf(server: Server): Promise<Load[]> {
  const { username, password } = await server.register();
  await server.token({ username, password }); // it is remembered from here on
  const set = `${server.url}/.well-known/jwks.json`;
  const etag = (await server.jwks()).headers.get("etag")!;
  const form = { grant_type: "client_credentials", client_id: username, client_secret: password };
  return [
    { url: set },
    { url: set, headers: { "If-None-Match": etag } },
    jsonLoad(`${server.url}/auth`, { username, password }),
    formLoad(`${server.url}/token`, form),
  ];
}

/** Sends just so many requests: what a generator of load sends in a second is more. */
async function sendFew(kinds: readonly Load[], count: number): Promise<void> {
  for (const [place, { url, headers = {}, body }] of kinds.entries()) {
    let due = count * SHARES[place]!;
    await Promise.all(Array.from({ length: CONNECTIONS }, async () => {
      while (due-- > 0) {
        const content = body === undefined ? {} : { method: "POST", body };
        const response = await fetch(url, { headers, ...content });
        if (response.status >= 400) throw new Error(`${url} answers ${response.status}`);
        await response.body?.cancel();
      }
    }));
  }
}

/** Sends about so many requests, of all kinds in turns. */
async function sendMany(kinds: readonly Load[], count: number): Promise<void> {
  for (let stretch = 0; stretch < STRETCHES; stretch++) {
    for (const [place, kind] of kinds.entries()) {
      let due = count * SHARES[place]! / STRETCHES;
      // The generator counts in whole seconds.
      for (let seconds = 1; due > 0;) {
        const rate = await requestsPerSecond(kind, seconds);
        due -= rate * seconds;
        seconds = Math.max(1, Math.floor(due / rate));
      }
    }
  }
}

/** The median of some seconds, in which what is not needed any more may be given back. */
async function resident(server: Server): Promise<number> {
  const values = [];
  for (let second = 0; second < 5; second++) {
    await new Promise((resolve) => setTimeout(resolve, 1000));
    values.push(await memory(server.pid, "VmRSS"));
  }
  return median(values);
}
