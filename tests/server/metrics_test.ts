import assert from "node:assert/strict";
import { makeRing } from "../support.ts";
import { FAILURES, makeMetrics } from "./made_metrics.ts";

/** A request as the listener sees it. */
function request(path: string, method = "GET"): Request {
  return new Request(`http://localhost:8080${path}`, { method });
}

Deno.test("Metrics has every metric under its name, and all that is counted begins with 0", async () => {
  const samples = await makeMetrics().read();
  const zero = [
    'jwks_tokens_issued_total{grant="client_credentials",alg="RS256"}',
    'jwks_authentications_total{outcome="refused"}',
    "jwks_password_hash_queue",
    "jwks_password_hash_refused_total",
    "jwks_password_hash_wait_seconds_count",
    "jwks_login_cache_hits_total",
    'jwks_rate_limited_total{route="/auth"}',
    "jwks_published_keys",
    "jwks_unplanned_rotations_total",
    ...Object.keys(FAILURES).map((kind) => `jwks_storage_errors_total{kind="${kind}"}`),
    "jwks_log_rows_purged_total",
  ];
  for (const name of zero) assert.equal(samples.get(name), 0, name);
  const info = [...samples.keys()].find((name) => name.startsWith("jwks_build_info{"));
  assert.match(info!, /version="\d+\.\d+\.\d+"/);
  for (const name of ["process_resident_memory_bytes", "process_cpu_seconds_total"]) {
    assert.ok(samples.get(name)! > 0, name);
  }
});

Deno.test("Metrics tells of connections to a database on a server, as they are when it is asked", async () => {
  const counts = { size: 3, idle: 1, waiting: 7 };
  const { read } = makeMetrics({ storage: { failures: FAILURES, connections: counts } });
  const told = async () => {
    const samples = await read();
    return ["connections", "connections_idle", "calls_waiting"]
      .map((name) => samples.get(`jwks_database_${name}`));
  };
  assert.deepEqual(await told(), [3, 1, 7]);
  counts.waiting = 0;
  assert.deepEqual(await told(), [3, 1, 0]);
  const file = makeMetrics({ storage: { failures: FAILURES, connections: undefined } });
  assert.ok(![...await file.names()].some((name) => name.startsWith("jwks_database_")));
});

Deno.test("Metrics counts answers by route, method and status, and measures them by route", async () => {
  const { metrics, read } = makeMetrics();
  metrics.answered(request("/.well-known/jwks.json"), 200, 1);
  metrics.answered(request("/.well-known/jwks.json?x=1"), 200, 300);
  metrics.answered(request("/.well-known/jwks.json"), 304, 1);
  const samples = await read();
  const route = 'route="/.well-known/jwks.json"';
  assert.equal(samples.get(`jwks_http_requests_total{${route},method="GET",status="200"}`), 2);
  assert.equal(samples.get(`jwks_http_requests_total{${route},method="GET",status="304"}`), 1);
  const duration = "jwks_http_request_duration_seconds";
  assert.equal(samples.get(`${duration}_bucket{le="0.0025",${route}}`), 2);
  assert.equal(samples.get(`${duration}_bucket{le="0.5",${route}}`), 3);
  assert.equal(samples.get(`${duration}_sum{${route}}`), 0.302);
});

Deno.test("Metrics has no label of a client's choice: ten thousand requests make one sample", async () => {
  const { metrics, read } = makeMetrics();
  const before = (await read()).size;
  for (let count = 0; count < 10_000; count++) {
    const strange = request(`/${count}?user=alice`, `M${count}`);
    metrics.answered(strange, 404, 1);
    metrics.limited(strange);
  }
  const samples = await read();
  const own = [...samples.keys()].filter((name) =>
    name.includes('"other"') && !/duration/.test(name)
  );
  assert.deepEqual(own.sort(), [
    'jwks_http_requests_total{route="other",method="other",status="404"}',
    'jwks_rate_limited_total{route="other"}',
    'jwks_storage_errors_total{kind="other"}',
  ]);
  assert.ok(samples.size < before + 25, `${samples.size} samples`);
});

Deno.test("Metrics tells what it was told of authentications, tokens, limits and waits", async () => {
  const { metrics, read } = makeMetrics();
  metrics.authenticated("succeeded");
  metrics.authenticated("overloaded");
  metrics.issued("password", "EdDSA");
  metrics.limited(request("/token", "POST"));
  metrics.waited(40);
  metrics.waited(1400);
  const samples = await read();
  assert.equal(samples.get('jwks_authentications_total{outcome="succeeded"}'), 1);
  assert.equal(samples.get('jwks_authentications_total{outcome="overloaded"}'), 1);
  assert.equal(samples.get('jwks_tokens_issued_total{grant="password",alg="EdDSA"}'), 1);
  assert.equal(samples.get('jwks_rate_limited_total{route="/token"}'), 1);
  assert.equal(samples.get('jwks_password_hash_wait_seconds_bucket{le="0.05"}'), 1);
  assert.equal(samples.get("jwks_password_hash_wait_seconds_sum"), 1.44);
});

Deno.test("Metrics reads the numbers of the parts each time that it is asked", async () => {
  const queue = { size: 3, refusals: 4 };
  const maintenance = { purgedRows: 5, keysAge: 2.5 };
  const loginCache = { hits: 6 };
  const storage = { failures: { ...FAILURES, full: 7 }, connections: undefined };
  const sharing = { isInForce: false, fallbacks: 9 };
  const found: { hindrance?: string } = {};
  const findHindrance = () => Promise.resolve(found.hindrance);
  const { read } = makeMetrics({
    queue,
    maintenance,
    loginCache,
    sharing,
    storage,
    findHindrance,
  });
  const expect = async (values: number[]) => {
    const samples = await read();
    const names = [
      "jwks_keys_age_seconds",
      "jwks_password_hash_queue",
      "jwks_password_hash_refused_total",
      "jwks_log_rows_purged_total",
      "jwks_login_cache_hits_total",
      'jwks_storage_errors_total{kind="full"}',
      "jwks_limiter_shared",
      "jwks_limiter_fallback_total",
      "jwks_ready",
    ];
    assert.deepEqual(names.map((name) => samples.get(name)), values);
  };
  await expect([2.5, 3, 4, 5, 6, 7, 0, 9, 1]);
  await expect([2.5, 3, 4, 5, 6, 7, 0, 9, 1]); // reading adds nothing
  queue.size = 0;
  maintenance.purgedRows = loginCache.hits = 8;
  sharing.isInForce = true;
  found.hindrance = "No key can sign just now";
  await expect([2.5, 0, 4, 8, 8, 7, 1, 9, 0]);
});

Deno.test("Metrics tells where the keys are in their lives, and has no value where there is none", async () => {
  const { ring, time } = await makeRing({ policy: { alg: "ES256" } });
  const { read } = makeMetrics({ ring, clock: time.clock });
  const expect = async (values: (number | undefined)[]) => {
    const samples = await read();
    const names = ["jwks_active_key_age_seconds", "jwks_next_rotation_seconds"];
    assert.deepEqual(
      [...names, "jwks_published_keys"].map((name) => samples.get(name)),
      values,
    );
    assert.equal(samples.get("jwks_key_rotation_seconds"), ring.policy.rotation);
  };
  const { rotation } = ring.policy;
  await expect([0, rotation, 2]);
  time.advance(100);
  await expect([100, rotation - 100, 2]);
  time.advance(rotation); // nobody was there to make a third key
  await expect([100, undefined, 2]);
  await ring.maintain();
  await expect([100, rotation - 100, 3]);
  time.advance(3 * rotation);
  await expect([undefined, undefined, 0]);
  await ring.maintain();
  await expect([0, rotation, 2]);
  assert.equal((await read()).get("jwks_unplanned_rotations_total"), 1);
});
