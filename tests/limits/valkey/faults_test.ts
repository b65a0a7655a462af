import assert from "node:assert/strict";
import { Sharing } from "../../../lib/limits/valkey/sharing.ts";
import { ValkeyConnection } from "../../../lib/limits/valkey/connection.ts";
import { parseValkeyUrl } from "../../../lib/limits/valkey/location.ts";
import { eventually } from "../../blackbox/harness.ts";
import type { RedisOptions, RedisServer } from "../../servers/redis.ts";
import { recordingLog } from "../../support.ts";
import { ignore, windowOf, withValkey } from "./valkeys.ts";

/** How often the server is asked after, in milliseconds. */
const INTERVAL = 20;

interface Shared {
  sharing: Sharing;
  /** What the log has told, as "<level> <reason>" where there is one. */
  told: () => string[];
}

/** Runs `body` with what shares limits at `url`, whatever is there. */
async function withSharing(
  url: string,
  body: (shared: Shared) => Promise<void>,
  interval = INTERVAL,
): Promise<void> {
  const { log, lines } = recordingLog();
  const connection = new ValkeyConnection({ location: parseValkeyUrl(url)! });
  const probe = windowOf(connection, { limit: 1, window: 1 });
  const sharing = new Sharing({
    connection,
    probe: () => probe.admit("probe"),
    interval,
    server: "redis://cache.example",
    otherwise: "this server counts alone",
    log,
  });
  const told = () =>
    lines.map((line) => JSON.parse(line)).map(({ level, reason = "", hint = "" }) =>
      `${level} ${reason} ${hint}`.trim()
    );
  try {
    await sharing.start();
    await body({ sharing, told });
  } finally {
    await sharing.stop();
  }
  for (const line of lines) assert.doesNotMatch(line, /hunter2/);
}

function test(
  name: string,
  body: (server: RedisServer) => Promise<void>,
  options?: RedisOptions,
): void {
  Deno.test({ name, ignore, fn: () => withValkey((server) => body(server), options) });
}

function isBack(sharing: Sharing): Promise<true> {
  return eventually("limits are shared again", () => sharing.isInForce || undefined);
}

function isGone(sharing: Sharing): Promise<true> {
  return eventually("it is noticed", () => !sharing.isInForce || undefined);
}

test("Sharing notices a server that stands still, and that it goes on", (server) =>
  withSharing(server.url, async ({ sharing, told }) => {
    server.freeze();
    await isGone(sharing);
    server.thaw();
    await isBack(sharing);
    assert.deepEqual(told(), ["info", "warn No answer within 100 ms", "info"]);
  }));

test("Sharing takes an answer that came in time, however long this process was busy", (server) =>
  withValkeyOf(server, (connection) =>
    withSharing(server.url, async ({ sharing }) => {
      server.freeze();
      const attempt = sharing.attempt(() => connection.send("PING"));
      await new Promise((resolve) => setTimeout(resolve, 10)); // it is sent
      server.thaw();
      for (const start = performance.now(); performance.now() - start < 300;);
      assert.equal(await attempt, "PONG");
      assert.equal(sharing.isInForce, true);
    }, 1e9)));

test("Sharing notices a server that is gone, and that it is back and knows nothing", (server) =>
  withSharing(server.url, async ({ sharing, told }) => {
    await server.stop();
    await isGone(sharing);
    await server.start();
    await isBack(sharing);
    assert.equal(told().filter((line) => line.startsWith("warn")).length, 1);
    assert.match(told()[1]!, /^warn (Socket closed unexpectedly|connect ECONNREFUSED)/);
  }));

test("Sharing begins without a server, and takes it when it comes", async (server) => {
  await server.stop();
  await withSharing(server.url, async ({ sharing, told }) => {
    assert.equal(sharing.isInForce, false);
    assert.match(told()[0]!, /^warn connect ECONNREFUSED/);
    await server.start();
    await isBack(sharing);
  });
});

test("Sharing says that the password is wrong, or missing, and what to do", async (server) => {
  const hint = "see that REDIS_URL has the user and the password that the server expects";
  const reasons: [string | undefined, RegExp][] = [["hunter2-wrong", /WRONGPASS/], [
    undefined,
    /NOAUTH/,
  ]];
  for (const [password, reason] of reasons) {
    await withSharing(server.urlWith(password), ({ sharing, told }) => {
      assert.equal(sharing.isInForce, false);
      assert.equal(told().length, 1);
      assert.match(told()[0]!, reason);
      assert.ok(told()[0]!.endsWith(hint));
      return Promise.resolve();
    });
  }
}, { password: "hunter2" });

test("Sharing says of a server that takes no writes that it does not", (server) =>
  withValkeyOf(server, async (connection) => {
    await withSharing(server.url, async ({ sharing, told }) => {
      await connection.send("REPLICAOF", "127.0.0.1", "1");
      await isGone(sharing);
      assert.match(told()[1]!, /^warn READONLY .*takes writes$/);
      await connection.send("REPLICAOF", "NO", "ONE");
      await isBack(sharing);
    });
  }));

test("Sharing says of a server without memory that it has none", (server) =>
  withValkeyOf(server, async (connection) => {
    await withSharing(server.url, async ({ sharing, told }) => {
      await connection.send("CONFIG", "SET", "maxmemory", "1");
      await isGone(sharing);
      assert.match(told()[1]!, /^warn OOM .*more memory/);
      await connection.send("CONFIG", "SET", "maxmemory", "0");
      await isBack(sharing);
    });
  }));

test("Sharing needs no more of a user's rights than are documented", (server) =>
  withValkeyOf(server, async (connection) => {
    const rights = "+evalsha +eval +time +llen +lindex +lset +ltrim +rpush +lrem +pexpire";
    await connection.send(
      ..."ACL SETUSER limits on >hunter2 ~jwks-server:*".split(" "),
      ...rights.split(" "),
    );
    const url = server.url.replace("//", "//limits:hunter2@");
    await withSharing(url, async ({ sharing, told }) => {
      assert.equal(sharing.isInForce, true);
      await connection.send("ACL", "SETUSER", "limits", "-lindex");
      await isGone(sharing);
      assert.match(told()[1]!, /^warn .*can't run this command.*commands of the script/);
    });
  }));

Deno.test("Sharing does not take another server for one, and says what that says", async () => {
  await using server = Deno.serve(
    { port: 0, hostname: "127.0.0.1", onListen() {} },
    () => new Response("hello"),
  );
  const { port } = server.addr as Deno.NetAddr;
  await withSharing(`redis://127.0.0.1:${port}`, async ({ sharing, told }) => {
    await eventually("it is told", () => told().length > 0 || undefined);
    assert.equal(sharing.isInForce, false);
    assert.match(told()[0]!, /^warn /);
  });
});

async function withValkeyOf(
  { url }: RedisServer,
  body: (connection: ValkeyConnection) => Promise<void>,
): Promise<void> {
  const connection = new ValkeyConnection({ location: parseValkeyUrl(url)! });
  await connection.connect();
  try {
    await body(connection);
  } finally {
    connection.close();
  }
}
