import assert from "node:assert/strict";
import configuration from "../../deno.json" with { type: "json" };
import { DomainError, type ErrorCode } from "../../lib/base/errors.ts";
import { ROUTES } from "../../lib/http/route_name.ts";
import { errorResponse } from "../../lib/http/response.ts";
import { SETTINGS } from "../../lib/server/settings.ts";
import { REFUSALS } from "../blackbox/safe_answer.ts";
import { codesOf } from "./document.ts";
import { commandNames, findMistake } from "./program.ts";
import { README, ROOT, rowsOf } from "./readme.ts";

/** What the README says of a variable that has no default. */
const NO_DEFAULT = "–";

/** What it says of one whose default comes from others. */
const DERIVED: Record<string, string> = {
  ISSUER: "`http://localhost:<PORT>`",
  JWKS_URI: "below the issuer",
  AUDIENCE: "the issuer",
  LOG_FORMAT: "by who reads",
};

/** What starts a task by the runtime that the README names. */
const RUNTIME = "npx deno@2.9.6";

Deno.test("the README has every variable with its default, and no other", () => {
  const told = rowsOf("variable").flatMap(([names, fallbacks]) => {
    const each = fallbacks!.split(", ");
    return codesOf(names!).map((name, index) => [name, each[index]]);
  });
  const real = Object.entries(SETTINGS).map(([name, { fallback }]) => [
    name,
    fallback === undefined ? DERIVED[name] ?? NO_DEFAULT : `\`${fallback}\``,
  ]);
  assert.deepEqual(told.sort(), real.sort());
});

Deno.test("the README has every route, and no other", () => {
  assert.deepEqual(
    rowsOf("route").flatMap(([route]) => codesOf(route!)).sort(),
    [...ROUTES].sort(),
  );
});

Deno.test("the README has every error code with its status, and no other", () => {
  const told = rowsOf("status").flatMap(([status, codes]) =>
    codesOf(codes!).map((code) => [Number(status), code] as const)
  );
  const refusals = Object.values(REFUSALS).flat();
  assert.deepEqual(told.map(([, code]) => code).sort(), [...refusals, "server_error"].sort());
  for (const [status, code] of told) {
    assert.equal(errorResponse(new DomainError(code as ErrorCode, "")).status, status, code);
  }
});

Deno.test("the README has every command, and no other", () => {
  const told = rowsOf("command").flatMap(([cell]) => {
    const [first, ...others] = codesOf(cell!);
    const group = first!.split(" ").slice(0, -1);
    return [
      first!,
      ...others.map((name) => name.includes(" ") ? name : [...group, name].join(" ")),
    ];
  });
  assert.deepEqual(told.sort(), commandNames().sort());
});

Deno.test("what the README has run outside its console blocks are tasks and commands that there are", () => {
  const lines = README.blocks.filter(({ language }) => language === "sh")
    .flatMap(({ lines }) => lines);
  assert.ok(lines.length > 0);
  for (const line of lines) {
    const [, task] = new RegExp(`^(?:deno|${RUNTIME}) task (\\S+)$`).exec(line) ?? [];
    const [, words] = /^(?:[A-Z_]+=\S+ )*jwks-server ([^>|]+?)(?: [>|] .+)?$/.exec(line) ?? [];
    assert.ok(task !== undefined || words !== undefined, line);
    if (task !== undefined) assert.ok(task in configuration.tasks, line);
    if (words !== undefined) assert.equal(findMistake(words.split(" ")), undefined, line);
  }
});

Deno.test("what the README names as a command in its text is one, with these options", () => {
  const groups = new Set(commandNames().map((name) => name.split(" ")[0]));
  const told = codesOf(README.prose.map(({ text }) => text).join(" "))
    .map((code) => code.replace(/^(?:[A-Z_]+=\S+ )*jwks-server /, ""));
  const commands = told.filter((code) => groups.has(code.split(" ")[0]!) && code.includes(" "));
  for (const command of commands) {
    const name = commandNames().find((one) => command === one || command.startsWith(`${one} `));
    assert.ok(name !== undefined, command);
    if (command !== name) assert.equal(findMistake(command.split(" ")), undefined, command);
  }
});

Deno.test("CI runs the command by which the README has the tests run", async () => {
  const script = await Deno.readTextFile(new URL(".ci/run", ROOT));
  const shown = README.blocks.flatMap(({ lines }) => lines);
  assert.ok(shown.includes("deno task test"));
  assert.ok(README.prose.some(({ text }) => text.includes(`\`${RUNTIME}\``)));
  assert.match(script, /^deno task test\b/m);
  assert.ok(script.includes(RUNTIME.replace("npx ", "")));
});
