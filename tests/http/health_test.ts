import assert from "node:assert/strict";
import { createMetricsApp } from "../../lib/http/metrics_app.ts";
import { makeApp, recordingLog } from "../support.ts";

const READY = () => Promise.resolve(undefined);
const HINDRANCE = "The database cannot be written just now";

/** Both apps that answer for the server's health, each as a function that sends a request. */
async function senders(findHindrance: () => Promise<string | undefined>) {
  const { send } = await makeApp({ app: { findHindrance } });
  const metrics = createMetricsApp({
    render: () => Promise.resolve("a_metric 1\n"),
    contentType: "text/plain; version=0.0.4; charset=utf-8",
    findHindrance,
    log: recordingLog().log,
  });
  const ask = async (path: string, init: RequestInit = {}) => await metrics.request(path, init);
  return { send, ask };
}

Deno.test("/healthz and /readyz answer GET and HEAD with 200, and nothing else with anything but 405", async () => {
  for (const send of Object.values(await senders(READY))) {
    for (const path of ["/healthz", "/readyz"]) {
      const got = await send(path);
      assert.deepEqual([got.status, await got.json()], [200, { status: "ok" }]);
      assert.equal(got.headers.get("cache-control"), "no-store");
      const head = await send(path, { method: "HEAD" });
      assert.deepEqual([head.status, await head.text()], [200, ""]);
      for (const method of ["POST", "PUT", "DELETE", "OPTIONS"]) {
        const refused = await send(path, { method });
        assert.deepEqual([refused.status, refused.headers.get("allow")], [405, "GET, HEAD"]);
      }
    }
  }
});

Deno.test("/readyz says in the one error shape what keeps the server from its work, and the rest goes on", async () => {
  const { send, ask } = await senders(() => Promise.resolve(HINDRANCE));
  for (const each of [send, ask]) {
    const refused = await each("/readyz");
    assert.equal(refused.status, 503);
    assert.equal(refused.headers.get("retry-after"), "1");
    assert.deepEqual(await refused.json(), {
      error: "overloaded",
      error_description: HINDRANCE,
    });
    assert.equal((await each("/readyz", { method: "HEAD" })).status, 503);
    assert.equal((await each("/healthz")).status, 200);
  }
  assert.equal((await send("/.well-known/jwks.json")).status, 200);
});

Deno.test("/metrics is on the listener for it alone, for GET and HEAD", async () => {
  const { send, ask } = await senders(READY);
  assert.equal((await send("/metrics")).status, 404);
  const got = await ask("/metrics");
  assert.deepEqual([got.status, await got.text()], [200, "a_metric 1\n"]);
  assert.match(got.headers.get("content-type")!, /^text\/plain; version=0\.0\.4/);
  assert.equal((await ask("/metrics", { method: "HEAD" })).status, 200);
  assert.equal((await ask("/metrics", { method: "POST" })).status, 405);
  for (const path of ["/", "/auth", "/.well-known/jwks.json"]) {
    assert.equal((await ask(path)).status, 404);
  }
});

Deno.test("An issuer with a path has its health below that, too", async () => {
  const { send } = await makeApp({ app: { issuerUrl: "https://issuer.example/tenant" } });
  for (const path of ["/healthz", "/tenant/healthz", "/readyz", "/tenant/readyz"]) {
    assert.equal((await send(path)).status, 200, path);
  }
});
