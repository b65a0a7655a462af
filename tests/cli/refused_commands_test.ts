import assert from "node:assert/strict";
import { COMMANDS } from "./command_lines.ts";
import { refused } from "./refused.ts";
import { withWorkplace, type Workplace } from "./workplace.ts";

/** Settings with which no server would start. */
const BROKEN = { PORT: "none", NOT_MY_KEY: "short" };

const needDatabase = COMMANDS.filter(([name]) =>
  !/serve|init|doctor|healthcheck|example|completion|import/.test(name!)
);
const needSecret = [...COMMANDS.filter(([name]) => name === "keys"), ["rekey"]];

const misuses: Record<string, RegExp> = {
  "nope": /unknown command 'nope'/,
  "keys nope": /unknown command 'nope'/,
  "--nope": /unknown option '--nope'/,
  "keys list --nope": /unknown option '--nope'/,
  "keys list extra": /too many arguments/,
  "keys revoke": /missing required argument 'kid'/,
  "keys plan --until soon": /'--until <duration>'.* 'soon'.*must be a duration/,
  "keys export 1 --format xml": /'--format <format>'.* 'xml'/,
  "keys import key.pem --as active": /'--as <state>'.* 'active'/,
  "keys import key.pem --alg none": /'--alg <alg>'.* 'none'/,
  "users add name": /required option '--email <address>'/,
  "logs --since 0s": /must be a duration/,
  "backup": /missing required argument 'file'/,
};

/** The arguments with what they name in the directory of the workplace. */
function within({ directory }: Workplace, args: readonly string[]): string[] {
  return args.map((word) => /\.|^directory$/.test(word) ? `${directory}/${word}` : word);
}

/** Every file in the directory of the workplace that holds something, byte by byte. */
async function contents({ directory }: Workplace): Promise<Map<string, Uint8Array>> {
  const files = new Map<string, Uint8Array>();
  for await (const { name } of Deno.readDir(directory)) {
    const bytes = await Deno.readFile(`${directory}/${name}`);
    if (bytes.length > 0 && !name.endsWith("-shm")) files.set(name, bytes);
  }
  return files;
}

Deno.test("without a database every command on it ends with exit code 78 and makes none", async () => {
  await withWorkplace(async (workplace) => {
    await Deno.writeTextFile(`${workplace.directory}/key.pem`, "not yet read");
    const before = await contents(workplace);
    for (const args of needDatabase) {
      const stderr = await refused(workplace, within(workplace, args), {
        code: 78,
        reason: /there is no database .*none\.db/,
        env: { DATABASE: `${workplace.directory}/none.db` },
      });
      assert.match(stderr, /^jwks-server: hint: .*DATABASE.*jwks-server init/m);
    }
    assert.deepEqual(await contents(workplace), before);
  }, { alg: "ES256" });
});

for (
  const [what, secret, reason] of [
    ["a wrong secret", "another secret for tests", /the secret is not the one/],
    ["no secret", undefined, /there is no secret to open its keys with/],
  ] as const
) {
  Deno.test(`with ${what} every command on keys ends with 78 and changes nothing`, async () => {
    await withWorkplace(async (workplace) => {
      await Deno.writeTextFile(`${workplace.directory}/key.pem`, "never read");
      const before = await contents(workplace);
      for (const args of needSecret) {
        const stderr = await refused(workplace, within(workplace, args), {
          code: 78,
          reason,
          env: { NOT_MY_KEY: secret },
        });
        assert.match(stderr, /^jwks-server: hint: .*NOT_MY_KEY/m);
        assert.ok(!stderr.includes("another secret"));
      }
      assert.deepEqual(await contents(workplace), before);
    }, { alg: "ES256" });
  });
}

Deno.test("settings that are out of order are told by commands, too, with exit code 78", async () => {
  await withWorkplace(async (workplace) => {
    for (const args of [["keys", "list"], ["users", "list"], ["doctor"], ["healthcheck"]]) {
      const stderr = await refused(workplace, args, {
        code: 78,
        reason: /configuration/,
        env: BROKEN,
      });
      assert.match(stderr, /hint: PORT is "none"/);
      assert.match(stderr, /hint: NOT_MY_KEY is a value that is not shown/);
    }
  }, { alg: "ES256" });
});

for (const [line, reason] of Object.entries(misuses)) {
  Deno.test(`"${line}" is refused as usage, with exit code 2 and what to do`, async () => {
    await withWorkplace(async (workplace) => {
      const stderr = await refused(workplace, line.split(" "), { code: 2, reason });
      assert.match(stderr, /^jwks-server: hint: /m);
    }, { alg: "ES256" });
  });
}
