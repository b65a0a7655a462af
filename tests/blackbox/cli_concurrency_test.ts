import assert from "node:assert/strict";
import { generateKeyPairSync } from "node:crypto";
import type { Credentials } from "./client.ts";
import { done, kidOf, listKeys, NOTICED, only, publishedKids, WITH_SECRET } from "./commands.ts";
import { type Directory, eventually, Server, UNLIMITED } from "./harness.ts";
import { settled } from "./keys.ts";

/** Keys that are cheap to make and to sign with: there is more of everything in the same time. */
const ENV = { ...WITH_SECRET, ...UNLIMITED, SIGNING_ALG: "ES256" };

interface Issued {
  token: string;
  /** When the request for it was sent, as `performance.now` tells. */
  asked: number;
}

/** Two servers on one database, and a client at each that logs in without a pause. */
class Pair implements AsyncDisposable {
  readonly issued: Issued[] = [];
  readonly servers: [Server, Server];
  #isOver = false;
  readonly #running: Promise<unknown>;

  private constructor(servers: [Server, Server], user: Credentials) {
    this.servers = servers;
    this.#running = Promise.all(servers.map((server) => this.#work(server, user)));
    this.#running.catch(() => {}); // `stop` tells
  }

  static async start(): Promise<Pair> {
    const first = await Server.start({ env: ENV });
    await settled(first);
    const second = await Server.start({ env: ENV, directory: first.directory });
    return new Pair([first, second], await first.register());
  }

  get directory(): Directory {
    return this.servers[0].directory;
  }

  async #work(server: Server, user: Credentials): Promise<void> {
    while (!this.#isOver) {
      const asked = performance.now();
      this.issued.push({ token: await server.token(user), asked });
    }
  }

  /** Waits until both have issued some more tokens. */
  async more(count = 20): Promise<void> {
    const wanted = this.issued.length + count;
    await eventually("more tokens", () => this.issued.length >= wanted ? true : undefined);
  }

  async stop(): Promise<void> {
    this.#isOver = true;
    await this.#running;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#isOver = true;
    await this.#running.catch(() => {});
    await this.servers[1][Symbol.asyncDispose]();
    await this.servers[0][Symbol.asyncDispose]();
  }
}

/** Waits until both servers publish the same keys, those that the database holds. */
async function agreed(pair: Pair): Promise<void> {
  const keys = await listKeys(pair.directory);
  const expected = keys.filter(({ state }) => ["next", "active", "passive"].includes(state))
    .map(({ kid }) => kid).sort();
  await eventually("both publish what is in the database", async () => {
    const [one, other] = await Promise.all(pair.servers.map(publishedKids));
    const isSame = [one, other].every((kids) => kids!.sort().join() === expected.join());
    return isSame ? true : undefined;
  }, NOTICED);
}

Deno.test("once keys revoke has returned, neither server signs with that key", async () => {
  await using pair = await Pair.start();
  for (let i = 0; i < 3; i++) {
    await pair.more();
    const { kid } = only(await listKeys(pair.directory), "active");
    assert.ok(pair.issued.some(({ token }) => kidOf(token) === kid));
    await done(pair.directory, ["keys", "revoke", kid], { env: ENV });
    const returned = performance.now();
    await pair.more();
    const late = pair.issued.filter(({ asked }) => asked > returned);
    assert.ok(late.length > 0);
    for (const { token } of late) assert.notEqual(kidOf(token), kid);
  }
  await pair.stop();
  await agreed(pair);
});

Deno.test("two operators who force a rotation at once leave one signer and one next key", async () => {
  await using pair = await Pair.start();
  const { directory } = pair;
  for (let i = 0; i < 3; i++) {
    const before = only(await listKeys(directory), "next").kid;
    const outcomes = await Promise.all([1, 2].map(() => {
      return directory.run(["keys", "rotate", "--force"], { env: ENV });
    }));
    assert.ok(outcomes.some(({ code }) => code === 0), JSON.stringify(outcomes));
    for (const { code, stderr } of outcomes) {
      // The second one may come before the key after the next is made.
      if (code !== 0) assert.match(stderr, /^jwks-server: error: there is no next key yet$/m);
    }
    const keys = await listKeys(directory);
    only(keys, "next");
    const rotated = keys.find(({ kid }) => kid === before)!;
    assert.ok(["active", "passive"].includes(rotated.state));
    only(keys, "active");
  }
  await pair.stop();
  await agreed(pair);
});

Deno.test("commands of all kinds at once each do their work, under load", async () => {
  await using pair = await Pair.start();
  const { directory } = pair;
  const { privateKey } = generateKeyPairSync("ed25519");
  const jwk = { ...privateKey.export({ format: "jwk" }), kid: "imported" };
  await Deno.writeTextFile(`${directory.path}/key.json`, JSON.stringify(jwk));
  const lines = [
    "keys import key.json",
    "keys import key.json",
    "users add one --email one@example.com",
    "users add ONE --email two@example.com",
    "backup copy.db",
    "keys list",
  ];
  const outcomes = await Promise.all(lines.map((line) => {
    return directory.run(line.split(" "), { env: ENV });
  }));
  await pair.stop();
  const told = JSON.stringify(outcomes);
  const codes = outcomes.map(({ code }) => code);
  assert.deepEqual([codes.slice(0, 2).sort(), codes.slice(2, 4).sort()], [[0, 1], [0, 1]], told);
  assert.deepEqual(codes.slice(4), [0, 0], told);
  for (const { code, stderr } of outcomes) {
    if (code === 1) assert.match(stderr, /there is a key imported already|is taken/);
  }
  assert.equal(only(await listKeys(directory), "passive").kid, "imported");
  await agreed(pair);
});
