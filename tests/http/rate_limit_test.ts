import assert from "node:assert/strict";
import { Hono } from "hono";
import { createFindClient } from "../../lib/http/client_address.ts";
import { DomainError } from "../../lib/base/errors.ts";
import type { AppEnv } from "../../lib/http/environment.ts";
import { rateLimit } from "../../lib/http/rate_limit.ts";
import { errorResponse } from "../../lib/http/response.ts";
import { SlidingWindow } from "../../lib/limits/sliding_window.ts";
import { FakeClock } from "../support.ts";

const PROXY = "10.0.0.1";

interface Options {
  limit?: number;
  window?: number;
  trustedProxies?: readonly string[];
}

/** An app with one limited route, which counts how often it is reached. */
function limitedApp({ limit = 10, window = 1000, trustedProxies = [] }: Options = {}) {
  const time = new FakeClock();
  const reached: string[] = [];
  const app = new Hono<AppEnv>();
  const limited = rateLimit({
    name: "auth",
    limiter: new SlidingWindow({ limit, window, now: time.clock }),
    findClient: createFindClient(trustedProxies),
  });
  app.post("/", limited, (context) => {
    reached.push(context.get("client").ip);
    if (context.req.query("fail")) throw new DomainError("invalid_request", "No");
    return context.text("reached");
  });
  app.onError((error) => errorResponse(error as DomainError));
  const send = async (peer = "192.0.2.1", init: RequestInit = {}, path = "/") =>
    await app.request(path, { method: "POST", ...init }, { remoteAddr: { hostname: peer } });
  return { send, time, reached };
}

async function statuses(count: number, send: () => Promise<Response>): Promise<number[]> {
  const all: number[] = [];
  for (let index = 0; index < count; index++) all.push((await send()).status);
  return all;
}

Deno.test("rateLimit() admits the limit and answers the next request with 429", async () => {
  const { send, reached } = limitedApp({ limit: 3 });
  assert.deepEqual(await statuses(5, send), [200, 200, 200, 429, 429]);
  assert.equal(reached.length, 3);
});

Deno.test("rateLimit() refuses in the one error shape, without naming the client", async () => {
  const { send } = limitedApp({ limit: 1 });
  await send();
  const response = await send();
  const body = await response.json();
  assert.deepEqual(Object.keys(body), ["error", "error_description"]);
  assert.equal(body.error, "rate_limited");
  assert.ok(!body.error_description.includes("192.0.2.1"));
});

Deno.test("rateLimit() admits again after Retry-After seconds, however often was tried", async () => {
  for (const window of [1, 250, 1000, 1500, 60_000]) {
    const { send, time } = limitedApp({ limit: 1, window });
    await send();
    const retryAfter = (await send()).headers.get("retry-after")!;
    assert.match(retryAfter, /^[1-9]\d*$/);
    assert.equal(retryAfter, String(Math.ceil(window / 1000)));
    await statuses(5, send);
    time.advance(Number(retryAfter));
    assert.equal((await send()).status, 200);
  }
});

Deno.test("rateLimit() tells its policy and where the client stands, on every response", async () => {
  const { send, time } = limitedApp({ limit: 2, window: 5000 });
  const standing = async () => {
    const { headers } = await send();
    assert.equal(headers.get("ratelimit-policy"), '"auth";q=2;w=5');
    return headers.get("ratelimit");
  };
  assert.equal(await standing(), '"auth";r=1;t=5');
  time.advance(1.5);
  assert.equal(await standing(), '"auth";r=0;t=4');
  assert.equal(await standing(), '"auth";r=0;t=4');
});

Deno.test("rateLimit() tells where the client stands when the handler fails, too", async () => {
  const { send } = limitedApp();
  const response = await send(undefined, {}, "/?fail=1");
  assert.equal(response.status, 400);
  assert.equal(response.headers.get("ratelimit"), '"auth";r=9;t=1');
});

Deno.test("rateLimit() counts requests that the handler refuses", async () => {
  const { send } = limitedApp({ limit: 2 });
  const failing = () => send(undefined, {}, "/?fail=1");
  assert.deepEqual(await statuses(3, failing), [400, 400, 429]);
});

Deno.test("rateLimit() keeps clients apart", async () => {
  const { send } = limitedApp({ limit: 1 });
  assert.deepEqual(await statuses(2, () => send("192.0.2.1")), [200, 429]);
  assert.deepEqual(await statuses(2, () => send("192.0.2.2")), [200, 429]);
});

Deno.test("rateLimit() takes an IPv6 /64 for one client", async () => {
  const { send } = limitedApp({ limit: 1 });
  assert.equal((await send("2001:db8:1:2::1")).status, 200);
  assert.equal((await send("2001:db8:1:2::2")).status, 429);
  assert.equal((await send("2001:db8:1:3::1")).status, 200);
});

Deno.test("rateLimit() is not escaped by a forged X-Forwarded-For", async () => {
  const { send } = limitedApp({ limit: 1 });
  const forged = (index: number) =>
    send("192.0.2.1", { headers: { "x-forwarded-for": `203.0.113.${index}` } });
  assert.equal((await forged(1)).status, 200);
  assert.equal((await forged(2)).status, 429);
});

Deno.test("rateLimit() knows clients behind a trusted proxy apart, and by their own address", async () => {
  const { send, reached } = limitedApp({ limit: 1, trustedProxies: [PROXY] });
  const from = (client: string) => send(PROXY, { headers: { "x-forwarded-for": client } });
  assert.equal((await from("203.0.113.1")).status, 200);
  assert.equal((await from("203.0.113.2")).status, 200);
  assert.equal((await from("203.0.113.1")).status, 429);
  assert.deepEqual(reached, ["203.0.113.1", "203.0.113.2"]);
});

Deno.test("rateLimit() refuses without reading the body", async () => {
  const { send } = limitedApp({ limit: 1 });
  await send();
  let pulls = 0;
  const body = new ReadableStream({ pull: () => void pulls++ }, { highWaterMark: 0 });
  assert.equal((await send(undefined, { body })).status, 429);
  assert.equal(pulls, 0);
});
