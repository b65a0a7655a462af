import assert from "node:assert/strict";
import { verify } from "@node-rs/argon2";
import { withWorkplace, type Workplace } from "./workplace.ts";

const ADD = ["users", "add", "alice", "--email", "alice@example.com", "--password-stdin"];
const RESET = ["users", "reset-password", "alice", "--password-stdin"];
const encoder = new TextEncoder();

/** Runs a command with these bytes on standard input. */
async function withInput(
  workplace: Workplace,
  args: readonly string[],
  input: Uint8Array | string,
) {
  const bytes = typeof input === "string" ? encoder.encode(input) : input;
  const readable = ReadableStream.from(bytes.length === 0 ? [] : [bytes]);
  Object.defineProperty(Deno.stdin, "readable", { value: readable, configurable: true });
  try {
    return await workplace.execute(args);
  } finally {
    Reflect.deleteProperty(Deno.stdin, "readable"); // what it inherits is there again
  }
}

/** Whether the password that was read is the one that the user has. */
async function hasPassword(workplace: Workplace, password: string): Promise<boolean> {
  const { password_hash } = workplace.tamper((database) =>
    database.get<{ password_hash: string }>("SELECT password_hash FROM users")!
  );
  return await verify(password_hash, password);
}

Deno.test("users add and reset-password read a password from standard input, and do not print it", async () => {
  await withWorkplace(async (workplace) => {
    for (const [args, password] of [[ADD, "p".repeat(16)], [RESET, "ü".repeat(512)]] as const) {
      const { stdout, stderr, error } = await withInput(workplace, args, `${password}\n`);
      assert.equal(error, undefined);
      assert.equal(stderr, "");
      assert.ok(!stdout.includes(password));
      assert.equal(await hasPassword(workplace, password), true);
    }
  }, { alg: "ES256" });
});

Deno.test("users add and reset-password take 16 to 1024 bytes of UTF-8, and say so of any other", async () => {
  await withWorkplace(async (workplace) => {
    await workplace.run(ADD.slice(0, -1));
    const other = ADD.with(2, "bob").with(4, "bob@example.com");
    for (const args of [other, RESET]) {
      for (const password of ["", "\n", "p".repeat(15), "ü".repeat(7), "p".repeat(1025)]) {
        const { stdout, stderr, error } = await withInput(workplace, args, password);
        assert.ok(error instanceof Error);
        assert.match(
          stderr,
          /^jwks-server: error: the password has \d+ bytes; allowed are 16 to 1024/,
        );
        assert.equal(stdout, "");
      }
    }
    assert.equal(JSON.parse(await workplace.run(["users", "list", "--json"])).length, 1);
  }, { alg: "ES256" });
});

Deno.test("users add and reset-password take a weak password with --allow-weak, and warn", async () => {
  await withWorkplace(async (workplace) => {
    for (const [args, password] of [[ADD, "short"], [RESET, "1"]] as const) {
      const { stderr, error } = await withInput(workplace, [...args, "--allow-weak"], password);
      assert.equal(error, undefined);
      assert.match(stderr, /^jwks-server: warning: the password is weak/);
      assert.equal(await hasPassword(workplace, password), true);
    }
    for (const password of ["", "\r\n", "p".repeat(1025)]) {
      const { error } = await withInput(workplace, [...RESET, "--allow-weak"], password);
      assert.ok(error instanceof Error, String(password.length));
    }
    const { stderr } = await withInput(workplace, [...RESET, "--allow-weak"], "p".repeat(16));
    assert.equal(stderr, "");
  }, { alg: "ES256" });
});

Deno.test("users add and reset-password refuse what is not UTF-8, in words that quote nothing", async () => {
  await withWorkplace(async (workplace) => {
    const bytes = Uint8Array.of(...encoder.encode("hunter2 hunter2 hunter2"), 0xff);
    const { stdout, stderr, error } = await withInput(workplace, ADD, bytes);
    assert.ok(error instanceof Error);
    assert.match(stderr, /standard input is not UTF-8/);
    assert.doesNotMatch(stderr + stdout, /hunter2/);
    const long = await withInput(workplace, ADD, new Uint8Array(100_000));
    assert.match(long.stderr, /more than 65536 bytes/);
    assert.equal(await workplace.run(["users", "list"]), "There are no users yet");
  }, { alg: "ES256" });
});

Deno.test("users add ends a password at one line break, and keeps every other character", async () => {
  await withWorkplace(async (workplace) => {
    await workplace.run(ADD.slice(0, -1));
    for (
      const [input, password] of [
        ["  a password with space  \r\n", "  a password with space  "],
        ["a password of two\nlines\n\n", "a password of two\nlines\n"],
        ["\ufeffa password with a mark", "\ufeffa password with a mark"],
      ] as const
    ) {
      assert.equal((await withInput(workplace, RESET, input)).error, undefined);
      assert.equal(await hasPassword(workplace, password), true, JSON.stringify(input));
    }
  }, { alg: "ES256" });
});
