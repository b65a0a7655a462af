import assert from "node:assert/strict";
import { Sharing } from "../../../lib/limits/valkey/sharing.ts";
import { ValkeyConnection } from "../../../lib/limits/valkey/connection.ts";
import { parseValkeyUrl } from "../../../lib/limits/valkey/location.ts";
import { eventually } from "../../blackbox/harness.ts";
import type { RedisOptions, RedisServer } from "../../servers/redis.ts";
import { recordingLog } from "../../support.ts";
import { ignore, inForce, windowOf, withValkey } from "./valkeys.ts";

/** How often the server is asked after, in milliseconds. */
const INTERVAL = 20;

interface Shared {
  sharing: Sharing;
  /** Why limits were not shared, as the log tells it: the reason and the hint. */
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
    lines.map((line) => JSON.parse(line)).filter(({ level }) => level === "warn")
      .map(({ reason, hint = "" }) => `${reason} ${hint}`.trim());
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

function isTold(told: () => string[], reason: RegExp): Promise<true> {
  return eventually(
    `${reason} is told`,
    () => told().some((line) => reason.test(line)) || undefined,
  );
}

function isGone(sharing: Sharing): Promise<true> {
  return eventually("it is noticed", () => !sharing.isInForce || undefined);
}

test("Sharing notices a server that stands still, and that it goes on", (server) =>
  withSharing(server.url, async ({ sharing, told }) => {
    await inForce(sharing);
    server.freeze();
    await isGone(sharing);
    assert.equal(told().at(-1), "No answer within 100 ms");
    server.thaw();
    await inForce(sharing);
  }));

test("Sharing takes an answer that came in time, however long this process was busy", (server) =>
  withValkeyOf(server, (connection) =>
    withSharing(server.url, async ({ sharing }) => {
      await inForce(sharing);
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
    await inForce(sharing);
    await server.stop();
    await isGone(sharing);
    assert.match(told().at(-1)!, /^(Socket closed unexpectedly|connect ECONNREFUSED)/);
    await server.start();
    await inForce(sharing);
  }));

test("Sharing begins without a server, and takes it when it comes", async (server) => {
  await server.stop();
  await withSharing(server.url, async ({ sharing, told }) => {
    assert.equal(sharing.isInForce, false);
    assert.match(told()[0]!, /^connect ECONNREFUSED/);
    await server.start();
    await inForce(sharing);
  });
});

test("Sharing says that the password is wrong, or missing, and what to do", async (server) => {
  const hint = "see that REDIS_URL has the user and the password that the server expects";
  const reasons: [string | undefined, RegExp][] = [["hunter2-wrong", /WRONGPASS/], [
    undefined,
    /NOAUTH/,
  ]];
  for (const [password, reason] of reasons) {
    await withSharing(server.urlWith(password), async ({ sharing, told }) => {
      await isTold(told, reason);
      assert.ok(told().at(-1)!.endsWith(hint));
      assert.equal(sharing.isInForce, false);
    });
  }
}, { password: "hunter2" });

test("Sharing says of a server that takes no writes that it does not", (server) =>
  withValkeyOf(server, async (connection) => {
    await withSharing(server.url, async ({ sharing, told }) => {
      await connection.send("REPLICAOF", "127.0.0.1", "1");
      await isGone(sharing);
      await isTold(told, /^READONLY .*takes writes$/);
      await connection.send("REPLICAOF", "NO", "ONE");
      await inForce(sharing);
    });
  }));

test("Sharing says of a server without memory that it has none", (server) =>
  withValkeyOf(server, async (connection) => {
    await withSharing(server.url, async ({ sharing, told }) => {
      await connection.send("CONFIG", "SET", "maxmemory", "1");
      await isGone(sharing);
      await isTold(told, /^OOM .*more memory/);
      await connection.send("CONFIG", "SET", "maxmemory", "0");
      await inForce(sharing);
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
      await inForce(sharing);
      await connection.send("ACL", "SETUSER", "limits", "-lindex");
      await isGone(sharing);
      await isTold(told, /can't run this command.*commands of the script/);
    });
  }));

Deno.test("Sharing does not take another server for one, and says what that says", async () => {
  await using server = Deno.serve(
    { port: 0, hostname: "127.0.0.1", onListen() {} },
    () => new Response("hello"),
  );
  const { port } = server.addr as Deno.NetAddr;
  await withSharing(`redis://127.0.0.1:${port}`, ({ sharing, told }) => {
    assert.equal(told().length, 1);
    assert.equal(sharing.isInForce, false);
    return Promise.resolve();
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
