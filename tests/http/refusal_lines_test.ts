import assert from "node:assert/strict";
import { createLog } from "../../lib/base/log.ts";
import { json } from "../support.ts";
import { makeOAuthApp } from "./oauth_app.ts";

const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

type App = Awaited<ReturnType<typeof makeOAuthApp>>;

/** The lines of level debug. */
function debugLines({ lines }: App) {
  return lines.map((line) => JSON.parse(line)).filter(({ level }) => level === "debug");
}

Deno.test("At level debug each refused request leaves a line: which, with what status, and why", async () => {
  const app = await makeOAuthApp();
  const { post, grant, secret, send } = app;
  assert.equal((await post("/token", { ...grant, ...secret, scope: "every thing" })).status, 400);
  assert.equal((await post("/token", { ...grant, ...secret, client_secret: "wrong" })).status, 401);
  assert.equal((await send("/auth", json({ username: "svc" }))).status, 400);
  assert.equal((await send("/password", { method: "PUT" })).status, 405);
  const found = debugLines(app);
  assert.deepEqual(
    found.map(({ method, route, status, reason }) => [method, route, status, reason]),
    [
      ["POST", "/token", 400, "invalid_scope"],
      ["POST", "/token", 401, "wrong_password"],
      ["POST", "/auth", 400, "invalid_request"],
      ["PUT", "/password", 405, undefined],
    ],
  );
  assert.match(found[2].description, /password/);
  for (const { request_id, message } of found) {
    assert.match(request_id, UUID);
    assert.equal(message, "a request was refused");
  }
  const audited = app.lines.map((line) => JSON.parse(line)).findLast(({ audit }) => audit);
  assert.equal(audited.request_id, found[1].request_id);
});

Deno.test("At level debug a request over the limit leaves a line with the address it came from", async () => {
  const app = await makeOAuthApp();
  for (let count = 0; count < 12; count++) await app.send("/auth", json({}));
  const found = debugLines(app);
  assert.deepEqual(found.map(({ status }) => status), [...Array(10).fill(400), 429, 429]);
  assert.deepEqual(new Set(found.map(({ address }) => address)), new Set(["192.0.2.1"]));
});

Deno.test("At level debug what is answered leaves no line, and at level info what is refused leaves none", async () => {
  const app = await makeOAuthApp();
  assert.equal((await app.token()).status, 200);
  assert.equal((await app.send("/nothing")).status, 404);
  assert.deepEqual(debugLines(app), []);
  const lines: string[] = [];
  const quiet = await makeOAuthApp({
    app: { log: createLog("info", (line) => void lines.push(line)) },
  });
  assert.equal((await quiet.send("/auth", json({}))).status, 400);
  assert.deepEqual(lines, []);
});

Deno.test("No line of level debug holds what was sent", async () => {
  const app = await makeOAuthApp();
  const sent = { username: "svc", password: "correct horse battery", extra: "extra horse" };
  await app.send("/auth", json(sent));
  await app.send("/register", json({ username: "a horse", email: "no horse address" }));
  await app.post("/token", { grant_type: "horse", resource: "horse#", client_secret: "horse" });
  assert.equal(debugLines(app).length, 3);
  assert.doesNotMatch(JSON.stringify(debugLines(app)), /horse/);
});
