import assert from "node:assert/strict";
import { median } from "../bench/statistics.ts";
import { Client, type Credentials } from "../blackbox/client.ts";
import { Directory, Server, UNLIMITED } from "../blackbox/harness.ts";
import { form } from "./form.ts";

const SAMPLES = form(50, 200);

/** How far the medians of two kinds of logins may be apart: further where other tests run beside it. */
const TOLERANCE = form(0.25, 0.05);

/** How often a difference is measured again: one that is there is there every time. */
const ATTEMPTS = form(5, 3);

/** The cost of a password: enough that Argon2 is most of an answer. */
const COST = { ARGON2_MEMORY_KIB: "8192", ARGON2_PASSES: "2", ARGON2_LANES: "1" };
const DEARER = { ...COST, ARGON2_PASSES: "4" };

interface Kind {
  name: string;
  credentials: () => Credentials;
}

/** Kinds of logins that are all refused, and that nobody may tell from each other. */
function kindsOf(known: Credentials, disabled: Credentials): Kind[] {
  const password = () => crypto.randomUUID();
  return [
    {
      name: "a wrong password",
      credentials: () => ({ username: known.username, password: password() }),
    },
    {
      name: "an unknown user",
      credentials: () => ({ username: `user-${crypto.randomUUID()}`, password: password() }),
    },
    { name: "a disabled user's password", credentials: () => disabled },
  ];
}

/** The median time of each kind, in milliseconds, the kinds in turns. */
async function mediansOf(client: Client, kinds: readonly Kind[]): Promise<number[]> {
  const times: number[][] = kinds.map(() => []);
  const answers = new Set<string>();
  for (let sample = 0; sample < SAMPLES; sample++) {
    for (const [place, { credentials }] of kinds.entries()) {
      const body = credentials();
      const start = performance.now();
      const { status, text, headers } = await client.login(body);
      times[place]!.push(performance.now() - start);
      const shown = [...headers].filter(([name]) => !/^(date|ratelimit|x-request-id)$/.test(name));
      answers.add(JSON.stringify([status, text, shown]));
    }
  }
  assert.equal(answers.size, 1, [...answers].join("\n"));
  return times.map(median);
}

async function assertAlike(server: Server, kinds: readonly Kind[]): Promise<void> {
  using client = new Client(server.url); // nothing looks at its answers while they are timed
  const found = [];
  for (let attempt = 1; attempt <= ATTEMPTS; attempt++) {
    const medians = await mediansOf(client, kinds);
    const [least, most] = [Math.min(...medians), Math.max(...medians)];
    if (most <= least * (1 + TOLERANCE)) return;
    found.push(kinds.map(({ name }, place) => `${name}: ${medians[place]!.toFixed(2)} ms`));
  }
  assert.fail(`They can be told apart:\n${found.join("\n")}`);
}

Deno.test("nobody can tell by answer or time who is registered, also after the cost has changed", async () => {
  await using directory = new Directory();
  let credentials: [Credentials, Credentials];
  {
    await using server = await Server.start({ directory, env: { ...UNLIMITED, ...COST } });
    credentials = [await server.register(), await server.register()];
    const { code } = await directory.run(["users", "disable", credentials[1].username]);
    assert.equal(code, 0);
    await assertAlike(server, kindsOf(...credentials));
  }
  await using server = await Server.start({ directory, env: { ...UNLIMITED, ...DEARER } });
  await assertAlike(server, kindsOf(...credentials));
});
