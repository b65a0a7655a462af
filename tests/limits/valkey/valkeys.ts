/** Limiters over a real server, whose time a test may move. */

import assert from "node:assert/strict";
import { Script, ValkeyConnection } from "../../../lib/limits/valkey/connection.ts";
import { parseValkeyUrl } from "../../../lib/limits/valkey/location.ts";
import type { Sharing } from "../../../lib/limits/valkey/sharing.ts";
import { ValkeyWindow } from "../../../lib/limits/valkey/valkey_window.ts";
import { eventually } from "../../blackbox/harness.ts";
import { findRedis, type RedisOptions, RedisServer } from "../../servers/redis.ts";
import type { Rule, TestedLimiter } from "../limiter_conformance.ts";

export const program = await findRedis("a limit that servers share");

/** Whether there is no server to test with. */
export const ignore = program === undefined;

/** Runs `body` with a server of its own and a connection to it. */
export async function withValkey(
  body: (server: RedisServer, connection: ValkeyConnection) => Promise<void>,
  options?: RedisOptions,
): Promise<void> {
  await using server = await RedisServer.launch(program!, options);
  const connection = await connected(server);
  try {
    await body(server, connection);
  } finally {
    connection.close();
  }
}

/**
 * What runs a body as `withValkey` does, with one server for a whole file: each body finds it empty.
 * It must leave the server as it is.
 */
export function oneValkey(): typeof withValkey {
  let server: RedisServer | undefined;
  Deno.test.afterAll(() => server?.[Symbol.asyncDispose]());
  return async (body) => {
    server ??= await RedisServer.launch(program!);
    const connection = await connected(server);
    try {
      await connection.send("FLUSHALL");
      await body(server, connection);
    } finally {
      connection.close();
    }
  };
}

/** Another connection, as another process has. */
export async function connected({ url }: RedisServer): Promise<ValkeyConnection> {
  const connection = new ValkeyConnection({ location: parseValkeyUrl(url)! });
  await connection.connect();
  return connection;
}

/** Resolves when limits are shared: a busy machine may be late for the first time that it asks. */
export async function inForce(sharing: Pick<Sharing, "isInForce">): Promise<void> {
  await eventually("limits are shared", () => sharing.isInForce || undefined);
}

/** The limit of this name. */
export function windowOf(
  connection: Pick<ValkeyConnection, "run" | "send">,
  { name = "test", ...rule }: Rule & { name?: string },
): ValkeyWindow {
  return new ValkeyWindow({ ...rule, connection, name, keyOf: (client) => client });
}

/** What the script asks for the time, and what it asks instead. */
const [ITS_TIME, MOVED_TIME] = ['redis.call("TIME")', 'redis.call("LRANGE", "time", 0, 1)'];

/** A connection over which scripts run unchanged, but for the time, which they find in a key. */
export class MovedTime {
  readonly #connection: ValkeyConnection;
  /** In microseconds since the epoch. */
  #now = Date.UTC(2030, 0, 1) * 1000;

  constructor(connection: ValkeyConnection) {
    this.#connection = connection;
    this.advance(0);
  }

  readonly send = (...command: string[]) => this.#connection.send(...command);

  readonly run = (script: Script, key: string, ...args: string[]): Promise<unknown> => {
    assert.equal(script.text.split(ITS_TIME).length, 2);
    const moved = new Script(script.text.replace(ITS_TIME, MOVED_TIME));
    return this.#connection.run(moved, key, ...args);
  };

  /** Moves the time by so many milliseconds, before whatever is asked next. */
  readonly advance = (milliseconds: number): void => {
    this.#now += Math.round(milliseconds * 1000);
    const [seconds, rest] = [Math.floor(this.#now / 1e6), this.#now % 1e6];
    const set = `redis.call("DEL", KEYS[1]) redis.call("RPUSH", KEYS[1], ARGV[1], ARGV[2])`;
    this.#connection.send("EVAL", set, "1", "time", `${seconds}`, `${rest}`);
  };
}

/** Makes limiters whose time is moved; each is of a name of its own. */
export function movedWindows(connection: ValkeyConnection): (rule: Rule) => TestedLimiter {
  const time = new MovedTime(connection);
  let made = 0;
  return (rule) => ({
    limiter: windowOf(time, { ...rule, name: `test-${made++}` }),
    advance: time.advance,
  });
}
