import assert from "node:assert/strict";
import { storageUnavailable } from "../../lib/base/errors.ts";
import type { Storage } from "../../lib/storage/storage.ts";
import { json, makeApp } from "../support.ts";
import { ALICE, JWKS, makeLoggedApp } from "./logged_app.ts";

const SECRET_WORDS = /hunter2|SELECT|sqlite|\/var|app_failure|\.ts|Error:/i;

/** The app over a storage that fails with `fault.error`, in `fault.method` or everywhere. */
async function makeFaultyApp() {
  const fault: { error: unknown; method?: keyof Storage } = { error: undefined };
  const wrap = (storage: Storage): Storage =>
    new Proxy(storage, {
      get(target, name) {
        const method: (...values: unknown[]) => Promise<unknown> = Reflect.get(target, name);
        return async (...values: unknown[]) => {
          const isHit = fault.method === undefined || fault.method === name;
          if (fault.error !== undefined && isHit) throw fault.error;
          return await method.apply(target, values);
        };
      },
    });
  const app = await makeLoggedApp({ wrap });
  const password = await app.register();
  const login = json({ username: "alice", password });
  return { ...app, fault, password, login };
}

function assertLeaksNothing(response: Response, body: string): void {
  const seen = [body, ...[...response.headers].map((header) => header.join(": "))].join("\n");
  assert.doesNotMatch(seen, SECRET_WORDS);
}

Deno.test("A failure that nobody expected is a generic 500 that leaks nothing, and is logged", async () => {
  const app = await makeFaultyApp();
  const cause = new Error("hunter2 in /var/lib/keys.db");
  const errors = [new Error("SELECT hunter2 FROM users", { cause }), new TypeError("hunter2")];
  for (const error of errors) {
    app.fault.error = error;
    for (const [path, init] of [["/auth", app.login], ["/register", json(ALICE)]] as const) {
      app.lines.length = 0;
      const response = await app.send(path, init);
      const text = await response.text();
      assert.equal(response.status, 500);
      assert.deepEqual(JSON.parse(text), {
        error: "server_error",
        error_description: "The server could not answer",
      });
      assertLeaksNothing(response, text);
      assert.equal(app.lines.filter((line) => JSON.parse(line).level === "error").length, 1);
    }
  }
});

Deno.test("Storage that cannot be used is 503 with Retry-After, and leaks nothing", async () => {
  const app = await makeFaultyApp();
  const cause = new Error("SQLITE_BUSY: hunter2 in /var/lib/keys.db");
  for (const kind of ["locked", "full", "read-only", "damaged", "unreachable"] as const) {
    app.fault.error = storageUnavailable(kind, cause);
    for (const [path, init] of [["/auth", app.login], ["/register", json(ALICE)]] as const) {
      app.lines.length = 0;
      const response = await app.send(path, init);
      const text = await response.text();
      const warned = app.lines.map((line) => JSON.parse(line)).find(({ fault }) => fault === kind);
      assert.equal(warned.cause, cause.message);
      assert.ok(!("stack" in warned), "thousands of requests may be refused alike");
      assert.equal(response.status, 503);
      assert.equal(response.headers.get("retry-after"), "1");
      assert.equal(JSON.parse(text).error, "overloaded");
      assertLeaksNothing(response, text);
    }
  }
});

Deno.test("The JWK set is served while the storage cannot be used, and everything recovers after", async () => {
  const app = await makeFaultyApp();
  const before = await (await app.send(JWKS)).text();
  app.fault.error = storageUnavailable("locked");
  assert.equal((await app.send("/auth", app.login)).status, 503);
  const during = await app.send(JWKS);
  assert.equal(during.status, 200);
  assert.equal(await during.text(), before);
  app.fault.error = undefined;
  assert.equal((await app.send("/auth", app.login)).status, 200);
});

Deno.test("No token leaves when its log row cannot be written", async () => {
  const app = await makeFaultyApp();
  app.fault.error = storageUnavailable("full");
  app.fault.method = "recordAuthentication";
  for (const path of ["/auth", "/auth?expired=true"]) {
    const response = await app.send(path, app.login);
    assert.equal(response.status, 503);
    assert.deepEqual(Object.keys(await response.json()), ["error", "error_description"]);
  }
  assert.equal(app.logRows().length, 0);
});

Deno.test("A wrong password is not told from a right one when the log cannot be written", async () => {
  const app = await makeFaultyApp();
  app.fault.error = storageUnavailable("full");
  app.fault.method = "recordAuthentication";
  const right = await app.send("/auth", app.login);
  const wrong = await app.send("/auth", json({ username: "alice", password: "wrong" }));
  assert.deepEqual([right.status, await right.text()], [wrong.status, await wrong.text()]);
});

Deno.test("No password leaves when its user cannot be stored", async () => {
  const app = await makeFaultyApp();
  app.fault.error = storageUnavailable("full");
  app.fault.method = "createUser";
  const bob = { username: "bob", email: "bob@example.com" };
  const response = await app.send("/register", json(bob));
  assert.equal(response.status, 503);
  assert.deepEqual(Object.keys(await response.json()), ["error", "error_description"]);
  app.fault.error = undefined;
  assert.equal(await app.storage.findClient("bob"), undefined);
});

Deno.test("POST /auth refuses a body that is not what it asks for, in words that quote nothing", async () => {
  const { send } = await makeApp();
  const plain = { ...json({}), headers: { "content-type": "text/plain" } };
  const refused: [RequestInit, number, string][] = [
    [plain, 415, "unsupported_media_type"],
    [{ ...json({}), body: '{"username":"hunter2",' }, 400, "invalid_request"],
    [json({ username: { hunter2: 1 }, password: "b" }), 400, "invalid_request"],
    [json(["hunter2"]), 400, "invalid_request"],
    [json({ username: "alice", password: "hunter2".repeat(2000) }), 413, "payload_too_large"],
  ];
  for (const [init, status, code] of refused) {
    const response = await send("/auth", init);
    const text = await response.text();
    assert.equal(response.status, status);
    assert.equal(JSON.parse(text).error, code);
    assertLeaksNothing(response, text);
  }
});

Deno.test("POST /auth refuses credentials and repeated parameters in the query", async () => {
  const app = await makeFaultyApp();
  for (const query of ["username=alice", `password=${app.password}`, "expired=true&expired=true"]) {
    const response = await app.send(`/auth?${query}`, app.login);
    assert.equal(response.status, 400, query);
    assert.ok(!(await response.text()).includes(app.password));
  }
  assert.equal(app.logRows().length, 0);
});

Deno.test("The log never holds a password or a token", async () => {
  const app = await makeFaultyApp();
  const { token } = await (await app.send("/auth", app.login)).json();
  await app.send("/auth", json({ username: "alice", password: "hunter2" }));
  app.fault.error = new Error("it broke");
  await app.send("/auth", app.login);
  const lines = app.lines.join("\n");
  assert.ok(lines.includes("it broke"));
  for (const secret of [app.password, token, "hunter2"]) assert.ok(!lines.includes(secret));
});
