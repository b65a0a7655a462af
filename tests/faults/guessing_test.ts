import assert from "node:assert/strict";
import { Server } from "../blackbox/harness.ts";

const ADDRESSES = 12;

/** In milliseconds. */
const WHILE = 2000;

/** Twice the default of `RATE_LIMIT`, in one `RATE_WINDOW`. */
const LIMIT = 20;

Deno.test("who guesses one client's password from many addresses is limited as from two, and keeps the client not out", async () => {
  await using server = await Server.start();
  using client = server.from("127.0.3.1");
  const credentials = await client.register();
  await client.token(credentials);

  const { username } = credentials;
  const end = performance.now() + WHILE;
  const statuses: number[] = [];
  const guesses = Array.from({ length: ADDRESSES }, async (_, place) => {
    using guesser = server.from(`127.0.4.${place + 1}`);
    while (performance.now() < end) {
      const { status, json, headers } = await guesser.login({ username, password: "a guess" });
      statuses.push(status);
      if (status !== 429) continue;
      assert.equal(json.error, "rate_limited");
      assert.match(headers.get("retry-after")!, /^[12]$/);
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  });
  const own: number[] = [];
  while (performance.now() < end) {
    own.push((await client.login(credentials)).status);
    await new Promise((resolve) => setTimeout(resolve, 150));
  }
  await Promise.all(guesses);

  const checked = statuses.filter((status) => status === 401).length;
  const elapsed = (WHILE / 1000) + 1;
  assert.ok(checked >= LIMIT && checked <= elapsed * LIMIT, `${checked} guesses were checked`);
  assert.deepEqual(new Set(statuses), new Set([401, 429]));
  assert.ok(own.length > 5);
  assert.deepEqual(new Set(own), new Set([200]));
});
