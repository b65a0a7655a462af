import assert from "node:assert/strict";
import { storageUnavailable } from "../../lib/base/errors.ts";
import type { Storage } from "../../lib/storage/storage.ts";
import { json, wrapStorage } from "../support.ts";
import { ALICE, JWKS, makeLoggedApp } from "./logged_app.ts";

/** An app of which users cannot be found once `fault.error` is set. */
async function makeFaultyApp() {
  const fault: { error?: unknown } = {};
  const wrap = (storage: Storage) =>
    wrapStorage(storage, (own) => ({
      findClient: (name) =>
        fault.error === undefined ? own.findClient(name) : Promise.reject(fault.error),
    }));
  return { ...await makeLoggedApp({ wrap }), fault };
}

Deno.test("Every answer of every route says that it is of the type that it names", async () => {
  const { send, register, fault, time } = await makeFaultyApp();
  const statuses = new Set<number>();
  const assertSniffed = (response: Response) => {
    const { status, headers } = response;
    assert.equal(headers.get("x-content-type-options"), "nosniff", String(status));
    statuses.add(status);
  };
  const get = (headers: Record<string, string> = {}) => send(JWKS, { headers });
  const password = await register();
  const login = json({ username: "alice", password });
  const etag = (await get()).headers.get("etag")!;
  for (const method of ["GET", "HEAD", "POST", "PUT", "OPTIONS"]) {
    for (const path of [JWKS, "/auth", "/register", "/", "/nothing"]) {
      assertSniffed(await send(path, { method }, "192.0.2.9"));
    }
  }
  assertSniffed(await get({ "if-none-match": etag }));
  assertSniffed(await send("/register", json({ ...ALICE, username: "bob", email: "b@c.example" })));
  assertSniffed(await send("/register", json(ALICE)));
  assertSniffed(await send("/register", json({ username: "a".repeat(9000) })));
  assertSniffed(await send("/auth", login));
  assertSniffed(await send("/auth", json({ username: "alice", password: "wrong" })));
  assertSniffed(await send("/auth?password=x", login));
  for (const error of [new Error("unexpected"), storageUnavailable("full")]) {
    fault.error = error;
    assertSniffed(await send("/auth", login));
  }
  for (let count = 0; count < 10; count++) assertSniffed(await send("/auth", login));
  time.advance(100 * 365 * 86_400);
  assertSniffed(await get()); // nothing is published by then
  const all = [200, 201, 304, 400, 401, 404, 405, 409, 413, 415, 429, 500, 503];
  assert.deepEqual([...statuses].toSorted(), all);
});

Deno.test("Credentials in the query are refused by every route that takes any, unread", async () => {
  const { send, register, logRows } = await makeLoggedApp();
  const password = await register();
  const bodies = { "/auth": { username: "alice", password }, "/register": ALICE };
  for (const [path, body] of Object.entries(bodies)) {
    for (const query of ["username=alice", `password=${password}`, `p%61ssword=${password}`]) {
      const response = await send(`${path}?${query}`, json(body));
      assert.equal(response.status, 400, `${path}?${query}`);
      const text = await response.text();
      assert.equal(JSON.parse(text).error, "invalid_request");
      assert.ok(!text.includes(password));
    }
  }
  assert.deepEqual(logRows(), []);
});
