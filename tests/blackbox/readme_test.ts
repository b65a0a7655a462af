import assert from "node:assert/strict";
import type { Block } from "../readme/document.ts";
import { Comparison } from "../readme/masks.ts";
import { README } from "../readme/readme.ts";
import { readTranscript, type Step } from "../readme/transcript.ts";
import { describePostgres, parsePostgresUrl } from "../../lib/storage/postgres/location.ts";
import { hasPostgres, PostgresServer } from "../servers/postgres.ts";
import { freePort } from "./harness.ts";
import { Shell } from "./shell.ts";
import { works } from "./skip.ts";
import { type Given, runPython, runTypeScript } from "./snippets.ts";

/** A command that is a server, which goes on until the next one is started. */
const SERVER = /^(?:[A-Z_]+=\S+ )*jwks-server(?: serve)?$/;

/** The port that the README shows. */
const SHOWN_PORT = ":8080";

/** The database on a server that it shows. */
const SHOWN_DATABASE = "postgres://jwks:PASSWORD@db.example/jwks";

const ignore = !await works(["bash", "-c", "curl --version && openssl version"], "the README");
const hasPython = !ignore && await works(["python3", "-c", "import jwt"], "the README's Python");

const needsServer = ({ lines }: Block) => lines.some((line) => line.includes(SHOWN_DATABASE));
const hasServer = !ignore && await hasPostgres("the README's database on a server");

/** What a reader does, in the order of the page: types a command, or runs a program. */
const blocks = README.blocks.filter(({ language }) =>
  ["console", "ts", "python"].includes(language)
).filter((block) => hasServer || !needsServer(block));

/** What is shown of the reader's surroundings, and what it is in this run. */
type Surroundings = readonly (readonly [shown: string, real: string])[];

Deno.test({
  name: "the commands of the README say what it shows, one after the other in one directory",
  ignore,
  fn: async () => {
    const port = freePort();
    await using server = hasServer ? await PostgresServer.start() : undefined;
    const surroundings: Surroundings = [
      [SHOWN_PORT, `:${port}`],
      ...server === undefined ? [] : databases(await server.createDatabase()),
    ];
    await using shell = new Shell({ PORT: String(port), LANG: "C.UTF-8" });
    const comparison = new Comparison();
    for (const block of blocks) {
      if (block.language !== "console") await verify(shell, block, `http://localhost:${port}`);
      else {for (const step of readTranscript(block)) {
          await follow(shell, step, surroundings, comparison);
        }}
    }
  },
});

/** The empty database that is shown, as a URL and as messages name it. */
function databases(url: string): Surroundings {
  const named = (text: string) => describePostgres(parsePostgresUrl(text)!);
  return [[SHOWN_DATABASE, url], [named(SHOWN_DATABASE), named(url)]];
}

/** Types a command, and compares what it says. */
async function follow(
  shell: Shell,
  step: Step,
  surroundings: Surroundings,
  comparison: Comparison,
) {
  let command = comparison.translate(step.command);
  for (const [shown, real] of surroundings) command = command.replaceAll(shown, real);
  let said = (await type(shell, command, step)).replaceAll("\r", "").trimEnd();
  for (const [shown, real] of surroundings) said = said.replaceAll(real, shown);
  const difference = comparison.findDifference(step.output, said ? said.split("\n") : []);
  assert.ok(
    difference === undefined,
    `README.md:${step.line}: $ ${step.command}\n${difference}\n\nAll of it:\n${said}`,
  );
}

async function type(shell: Shell, command: string, { line, output }: Step): Promise<string> {
  if (SERVER.test(command)) return await shell.serve(command);
  const { code, text } = await shell.run(command);
  const isRefusal = output.some((shown) => shown.startsWith("jwks-server: error: "));
  assert.equal(code !== 0, isRefusal, `README.md:${line} ends with ${code}:\n${text}`);
  return text;
}

/** Has a program of the README verify the reader's token, and refuse one that was altered. */
async function verify(shell: Shell, block: Block, issuer: string): Promise<void> {
  if (block.language === "python" && !hasPython) return;
  const run = (given: Given) =>
    block.language === "python"
      ? runPython(block, given)
      : runTypeScript(block, given, shell.directory);
  const { text: token } = await shell.run('printf %s "$TOKEN"');
  const given = { token, issuer, audience: issuer, jwks: `${issuer}/.well-known/jwks.json` };
  assert.equal((await run(given)).sub, "reporting", `README.md:${block.line}`);
  await assert.rejects(run({ ...given, audience: "another" }), `README.md:${block.line}`);
}
