/** Two servers and an operator on one database, all at work. */

import assert from "node:assert/strict";
import { createLocalJWKSet, jwtVerify } from "jose";
import { done, kidOf, listKeys, only, WITH_SECRET } from "../blackbox/commands.ts";
import { type Directory, Server, UNLIMITED } from "../blackbox/harness.ts";
import { keyStates, settled } from "../blackbox/keys.ts";
import { accessToken } from "./acknowledged.ts";
import { form } from "./form.ts";

/** In milliseconds. */
const DURATION = form(3000, 60_000);

/** Between two rounds of a client, in milliseconds: there are other tests. */
const PAUSE = form(20, 0);

const env = { ...WITH_SECRET, ...UNLIMITED, SIGNING_ALG: "ES256" };

/** What an operator does in turn; a rotation between every two. */
const COMMANDS = [
  ["users", "add", "client-%", "--email", "client-%@example.com"],
  ["backup", "copy-%.db"],
  ["keys", "list"],
  ["users", "disable", "client-0"],
  ["logs", "--since", "1m"],
];

Deno.test("two servers and commands on one database: nothing fails, every token verifies, and one key is next", async () => {
  await using one = await Server.start({ env });
  await settled(one);
  const { directory } = one;
  await using other = await Server.start({ env, directory });
  await one.register("client-0");
  const end = performance.now() + DURATION;
  const [rotations, ...tokens] = await Promise.all([
    operate(directory, end),
    work(one, end),
    work(other, end),
  ]);
  const kids = new Set(tokens.flat().map(kidOf));
  assert.ok(rotations > 0 && kids.size > 1, `${rotations} rotations, ${kids.size} keys signed`);
  const keys = await listKeys(directory);
  only(keys, "active");
  only(keys, "next");
  for (const server of [one, other]) {
    const set = createLocalJWKSet((await server.jwks()).json);
    for (const token of tokens.flat()) await jwtVerify(token, set);
    assert.ok(!/"level":"error"/.test(server.stderr), server.stderr);
  }
});

/** Uses every route over and over, none of which may fail, and gives the tokens. */
async function work(server: Server, end: number): Promise<string[]> {
  const tokens: string[] = [];
  while (performance.now() < end) {
    const user = await server.register();
    tokens.push(await server.token(user), await accessToken(server, user));
    assert.equal((await server.jwks()).status, 200);
    await new Promise((resolve) => setTimeout(resolve, PAUSE));
  }
  return tokens;
}

/** Runs commands, and says how often the keys were rotated. */
async function operate(directory: Directory, end: number): Promise<number> {
  let rotations = 0;
  for (let turn = 1; performance.now() < end; turn++) {
    const rotated = await directory.run(["keys", "rotate", "--force"], { env });
    if (rotated.code === 0) rotations++;
    else assert.match(rotated.stderr, /there is no next key yet/);
    const states = keyStates(directory);
    assert.equal(states.filter((state) => state === "active").length, 1, states.join());
    assert.ok(states.filter((state) => state === "next").length <= 1, states.join());
    const command = COMMANDS[turn % COMMANDS.length]!;
    await done(directory, command.map((word) => word.replaceAll("%", String(turn))), { env });
  }
  return rotations;
}
