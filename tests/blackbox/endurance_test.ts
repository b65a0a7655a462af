import assert from "node:assert/strict";
import { canMakeCertificates, makeCertificate, writePair } from "../certificates.ts";
import { type Client, connect, type Credentials } from "./client.ts";
import { Directory, eventually, freePort, Server, UNLIMITED } from "./harness.ts";

/** Requests that are wrong each in its own way, with the status that each must get. */
const BAD: ((client: Client) => [number, ReturnType<Client["request"]>])[] = [
  (client) => [404, client.request("/nothing")],
  (client) => [405, client.request("/auth")],
  (client) => [405, client.post("/.well-known/jwks.json", {})],
  (client) => [400, client.post("/auth", "{")],
  (client) => [400, client.post("/auth", { username: {}, password: [] })],
  (client) => [400, client.post("/register", new Uint8Array([0xff, 0xfe]))],
  (client) => [400, client.post("/auth?expired=maybe", {})],
  (client) => [401, client.login({ username: "nobody", password: "nothing" })],
  (client) => [413, client.post("/auth", "x".repeat(8193))],
  (client) => [415, client.post("/register", "a=b", { "content-type": "text/plain" })],
];

Deno.test("ten thousand bad requests leave it serving", async () => {
  await using server = await Server.start({ env: UNLIMITED });
  const user = await server.register();
  let next = 0;
  const worker = async () => {
    for (let i = next++; i < 10_000; i = next++) {
      const [status, answer] = BAD[i % BAD.length]!(server);
      assert.equal((await answer).status, status);
    }
  };
  await Promise.all(Array.from({ length: 32 }, worker));
  assert.equal((await server.jwks()).status, 200);
  await server.token(user);
  assert.ok(!/"level":"error"/.test(server.stderr), server.stderr);
  assert.equal((await server.stop()).code, 0);
});

Deno.test("after file descriptors ran out it answers again", async () => {
  await using server = await Server.start({ prelude: "ulimit -n 64" });
  const user = await registerAndLeave(server);
  await exhaust(server.url);
  using client = server.from("127.0.0.1"); // whose connections are new
  const answers = () => client.jwks().then(() => true, () => undefined);
  await eventually("it answers", answers, { patience: 5000 });
  assert.match(server.stderr, /the server stopped accepting connections; it begins anew/);
  assert.equal((await client.jwks()).status, 200);
  await client.token(user);
  assert.equal((await server.stop()).code, 0);
});

Deno.test({
  name: "after file descriptors ran out it answers over TLS again",
  ignore: !await canMakeCertificates(),
  fn: async () => {
    await using directory = new Directory();
    const pair = await makeCertificate();
    const { certFile, keyFile } = await writePair(directory.path, pair);
    const env = { TLS_CERT_FILE: certFile, TLS_KEY_FILE: keyFile };
    await using server = await Server.start({ directory, env, prelude: "ulimit -n 64" });
    await exhaust(server.url);
    await eventually("it answers", async () => {
      using client = Deno.createHttpClient({ caCerts: [pair.cert] });
      const signal = AbortSignal.timeout(1000);
      const asked = fetch(`${server.url}/.well-known/jwks.json`, { client, signal });
      return await asked.then(({ ok, body }) => body!.cancel().then(() => ok), () => undefined);
    }, { patience: 5000 });
    assert.match(server.stderr, /the server stopped accepting connections; it begins anew/);
    assert.equal((await server.stop()).code, 0);
  },
});

Deno.test("when nobody reads what it says, it serves all the same", async () => {
  const port = freePort();
  const env = { ...UNLIMITED, PORT: String(port), LOG_LEVEL: "debug" };
  await using server = await Server.start({ isUnheard: true, env });
  const user = await server.register();
  const holder = server.openDatabase();
  try {
    holder.exec("BEGIN IMMEDIATE");
    for (let i = 0; i < 3; i++) assert.equal((await server.login(user)).status, 503); // is logged
  } finally {
    holder.close();
  }
  assert.equal((await server.jwks()).status, 200);
  await server.token(user);
  assert.equal((await server.stop()).code, 0);
});

/** Opens more connections than the server can have, and closes them again. */
async function exhaust(url: string): Promise<void> {
  const attempts = Array.from({ length: 200 }, () => connect(url)); // some may be refused
  const connections = await Promise.allSettled(attempts);
  await new Promise((resolve) => setTimeout(resolve, 500)); // it accepts until it cannot
  for (const attempt of connections) if (attempt.status === "fulfilled") attempt.value.close();
}

/** Registers a user over a connection that is closed again. */
async function registerAndLeave(server: Server): Promise<Credentials> {
  using client = server.from("127.0.0.1");
  return await client.register();
}
