import assert from "node:assert/strict";
import { COMMANDS } from "../cli/command_lines.ts";
import { assertRefusal, done, preparedDirectory, refused, WITH_SECRET } from "./commands.ts";
import { Program } from "./process.ts";

/** Settings with which no server would start. */
const BROKEN = { PORT: "none", NOT_MY_KEY: "short" };

const prepared = await preparedDirectory();
Deno.test.afterAll(() => prepared[Symbol.asyncDispose]());

Deno.test("--help names every command, the exit codes and an example", async () => {
  const help = await done(prepared, ["--help"], { env: BROKEN });
  for (const [word] of COMMANDS) assert.match(help, new RegExp(`^  ${word}\\b`, "m"));
  assert.match(help, /Exit codes: 0 done, 1 failed, 2 usage, 78 configuration or secret/);
  assert.match(help, /^Example:\n {2}\$ .*jwks-server/m);
});

for (const group of ["keys", "users"]) {
  Deno.test(`${group} --help names every command of the group`, async () => {
    const help = await done(prepared, [group, "--help"], { env: BROKEN });
    for (const [first, word] of COMMANDS) {
      if (first === group) assert.match(help, new RegExp(`^  ${word}\\b`, "m"));
    }
  });
}

Deno.test("--version and -V say what the program is and what it runs on, whatever is set", async () => {
  const line = await done(prepared, ["--version"], { env: BROKEN });
  assert.match(
    line,
    /^jwks-server \d+\.\d+\.\d+\S* \(Deno \d+\.\d+\.\d+\S*, V8 [\w.-]+, SQLite \d+\.\d+\.\d+\)\n$/,
  );
  assert.equal(await done(prepared, ["-V"], { env: BROKEN }), line);
});

Deno.test("what is misused ends the process with exit code 2, and says what to do", async () => {
  const stderr = await refused(prepared, ["nope"], 2, /unknown command 'nope'/);
  assert.match(stderr, /^jwks-server: hint: /m);
});

Deno.test("a native Argon2 that cannot be loaded is one error with exit code 78, and no stack", async () => {
  const env = { NAPI_RS_NATIVE_LIBRARY_PATH: "/dev/null" };
  const outcome = await prepared.run(["keys", "list"], { env });
  assertRefusal(outcome, 78, /the native Argon2 cannot be loaded/);
  assert.match(outcome.stderr, /^jwks-server: hint: TMPDIR .* noexec/m);
  assert.doesNotMatch(outcome.stderr, /^\s+at /m);
});

for (const group of ["keys", "users"]) {
  Deno.test(`${group} alone shows its commands and is refused as usage, with exit code 2`, async () => {
    const { code, stdout, stderr } = await prepared.run([group]);
    assert.deepEqual({ code, stdout }, { code: 2, stdout: "" });
    assert.match(stderr, new RegExp(`^Usage: jwks-server ${group} `));
    assert.match(stderr, /^jwks-server: error: no command is named$/m);
  });
}

/** Runs `keys list` on a terminal of its own. */
async function onTerminal(env: Record<string, string>): Promise<string> {
  const quote = `for word; do line="$line '$word'"; done`;
  const prelude = `${quote}; exec script --quiet --return --command "$line" /dev/null`;
  const options = { cwd: prepared.path, env: { ...WITH_SECRET, SHELL: "/bin/sh", ...env } };
  return (await new Program(["keys", "list"], { ...options, prelude }).ended).stdout;
}

Deno.test({
  name: "a terminal gets the signer emphasised, unless NO_COLOR is set; a file never does",
  ignore: Deno.build.os !== "linux", // other systems have another `script`
  async fn() {
    assert.ok((await onTerminal({})).includes("\x1b[1m* "));
    const plain = await onTerminal({ NO_COLOR: "1" });
    assert.match(plain, /^\* {2}\d{13} /m);
    assert.ok(!plain.includes("\x1b"));
    assert.ok(!(await done(prepared, ["keys", "list"])).includes("\x1b"));
  },
});

/** A server on a terminal, but for its standard output: who reads that ends it at the first line. */
const WATCHED =
  "sh -c 'echo \\$\\$ >pid; exec $line' | { read line; kill -INT \\$(cat pid); cat; }";

Deno.test({
  name: "a terminal gets the server's log as text, coloured; LOG_FORMAT=json as JSON",
  ignore: Deno.build.os !== "linux",
  async fn() {
    await using directory = await prepared.copy();
    const prelude = `line="$*"; exec script --quiet --return --command "${WATCHED}" /dev/null`;
    const logged = async (own: Record<string, string>) => {
      const env = { ...WITH_SECRET, PORT: "0", SHELL: "/bin/sh", ...own };
      return (await new Program([], { cwd: directory.path, env, prelude }).ended).stdout;
    };
    const text = await logged({ TERM: "xterm" });
    assert.ok(text.includes("\x1b[32mINFO \x1b[0m stopped\r\n"), text);
    const dumb = await logged({ TERM: "dumb" });
    assert.match(dumb, /^\d{4}-\d\d-\d\d \d\d:\d\d:\d\dZ INFO {2}stopped\r$/m);
    assert.match(await logged({ LOG_FORMAT: "json" }), /^\{"time":.*"message":"stopped"\}\r$/m);
  },
});

Deno.test("a reader that goes away ends a command quietly, with exit code 0", async () => {
  const options = { cwd: prepared.path, env: WITH_SECRET, isUnheard: true };
  assert.equal((await new Program(["keys", "list"], options).ended).code, 0);
});
