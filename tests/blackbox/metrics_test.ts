/** The server's health and metrics, as those see them who watch it. */

import assert from "node:assert/strict";
import { Client } from "./client.ts";
import { assertRefusal, NOTICED, startSettled } from "./commands.ts";
import { Directory, eventually, freePort, Server, UNLIMITED } from "./harness.ts";
import { works } from "./skip.ts";

const WATCHED = { METRICS_ADDRESS: "127.0.0.1:0", ...UNLIMITED };

const canCheck = await works(["promtool", "--version"], "the check of the metrics' format");

/** A client of the listener for those who watch, whose address the log tells. */
async function watcher(server: Server): Promise<Client> {
  const url = await eventually(
    "the metrics are served",
    () => /"url":"(http:[^"]+)\/metrics"/.exec(server.stderr)?.[1],
  );
  return new Client(url);
}

/** The values of the metrics by their names with labels. */
async function samplesOf(client: Client): Promise<Map<string, number>> {
  const { status, text } = await client.request("/metrics");
  assert.equal(status, 200);
  return new Map(
    text.split("\n").filter((line) => /^[a-z]/.test(line)).map((line) => {
      const end = line.lastIndexOf(" ");
      return [line.slice(0, end), Number(line.slice(end + 1))];
    }),
  );
}

Deno.test("what the server does is counted on a listener of its own, and nobody is named there", async () => {
  await using server = await startSettled({ env: WATCHED });
  using metrics = await watcher(server);
  const user = await server.register();
  const token = await server.token(user);
  assert.equal((await server.login({ ...user, password: "wrong" })).status, 401);
  await server.jwks();
  await server.request(`/${user.username}`);
  assert.equal((await server.request("/metrics")).status, 404);

  const samples = await samplesOf(metrics);
  const expected = {
    'jwks_http_requests_total{route="/auth",method="POST",status="200"}': 1,
    'jwks_http_requests_total{route="/auth",method="POST",status="401"}': 1,
    'jwks_http_requests_total{route="other",method="GET",status="404"}': 2,
    'jwks_http_request_duration_seconds_count{route="/auth"}': 2,
    'jwks_tokens_issued_total{grant="password",alg="ES256"}': 1,
    'jwks_authentications_total{outcome="succeeded"}': 1,
    'jwks_authentications_total{outcome="refused"}': 1,
    "jwks_published_keys": 2,
    "jwks_ready": 1,
  };
  for (const [name, value] of Object.entries(expected)) {
    assert.equal(samples.get(name), value, name);
  }
  assert.ok(samples.get("jwks_password_hash_wait_seconds_count")! >= 3);
  assert.ok(samples.get("process_resident_memory_bytes")! > 2 ** 20);
  const { text } = await metrics.request("/metrics");
  const [{ kid }] = (await server.jwks()).json.keys;
  for (const secret of [user.username, user.password, token, kid]) {
    assert.ok(!text.includes(secret));
  }
  assert.equal((await server.stop()).code, 0);
});

Deno.test({
  name: "promtool finds nothing to say against the metrics",
  ignore: !canCheck,
}, async () => {
  await using server = await startSettled({ env: WATCHED });
  using metrics = await watcher(server);
  await server.token(await server.register());
  const { bytes } = await metrics.request("/metrics");
  const promtool = new Deno.Command("promtool", {
    args: ["check", "metrics"],
    stdin: "piped",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  await new Blob([bytes as BlobPart]).stream().pipeTo(promtool.stdin);
  const { code, stdout, stderr } = await promtool.output();
  const said = new TextDecoder().decode(stdout) + new TextDecoder().decode(stderr);
  assert.deepEqual([code, said], [0, ""]);
});

Deno.test("a server whose database takes no write is alive and not ready, and recovers by itself", async () => {
  await using server = await startSettled({ env: WATCHED });
  using metrics = await watcher(server);
  const statuses = async (path: string) =>
    (await Promise.all([server.request(path), metrics.request(path)])).map(({ status }) => status);
  assert.deepEqual(await statuses("/readyz"), [200, 200]);
  const becomes = (status: number) =>
    eventually(`/readyz answers ${status}`, async () => {
      const found = await statuses("/readyz");
      return found.every((one) => one === status) ? true : undefined;
    }, NOTICED);
  using other = server.openDatabase();
  other.exec("BEGIN IMMEDIATE");
  await becomes(503);
  const { headers, json } = await server.request("/readyz");
  assert.deepEqual([headers.get("retry-after"), json.error], ["1", "overloaded"]);
  assert.deepEqual(await statuses("/healthz"), [200, 200]);
  assert.equal((await server.jwks()).status, 200);
  const check = await server.directory.run(["healthcheck"], {
    env: { PORT: String(server.port) },
  });
  assertRefusal(check, 1, /not ready: HTTP 503/);
  const samples = await samplesOf(metrics);
  assert.equal(samples.get("jwks_ready"), 0);
  assert.ok(samples.get('jwks_storage_errors_total{kind="locked"}')! > 0);
  other.exec("ROLLBACK");
  await becomes(200);
});

Deno.test("an address for the metrics that cannot be bound is told by the variable's name", async () => {
  await using directory = new Directory();
  const port = String(freePort());
  const env = { PORT: port, METRICS_ADDRESS: `127.0.0.1:${port}` };
  const outcome = await directory.run([], { env });
  assertRefusal(outcome, 1, new RegExp(`cannot listen on 127\\.0\\.0\\.1:${port}`));
  assert.match(outcome.stderr, /hint: .*set METRICS_ADDRESS to another one/);
  assert.deepEqual([...(await directory.files()).keys()], []);
});
