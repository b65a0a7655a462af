import assert from "node:assert/strict";
import { works } from "../blackbox/skip.ts";
import { COMMANDS, nameOf } from "./command_lines.ts";
import { offers, type Shell, SHELLS } from "./shells.ts";
import { withWorkplace } from "./workplace.ts";

/** Lines and what is offered for the last word of them, in every shell. */
const CASES: [line: string, offered: string[]][] = [
  ["jwks-server keys exp", ["export"]],
  ["jwks-server users re", ["remove-key", "reset-password"]],
  ["jwks-server keys export --for", ["--format"]],
  ["jwks-server keys export --format ", ["jwk", "pem"]],
  ["jwks-server keys export 1795315298743 --format ", ["jwk", "pem"]],
  ["jwks-server keys export --format=p", ["pem"]],
  ["jwks-server keys import --as n", ["next"]],
  ["jwks-server users set name --no-", ["--no-require-dpop"]],
  ["jwks-server completion ", ["bash", "fish", "zsh"]],
  ["jwks-server users delete ", []],
  ["jwks-server users add-key ", []],
  ["jwks-server keys plan --until ", []],
  ["jwks-server users delete keys l", []],
];

/** Lines that end with a path. */
const PATHS: [line: string, offered: string[]][] = [
  ["jwks-server apply k", ["key file.pem"]],
  ["jwks-server users add-key name k", ["key file.pem"]],
  ["jwks-server users add-key --alg ES256 name k", ["key file.pem"]],
  ["jwks-server rekey --secret-file k", ["key file.pem"]],
  ["jwks-server keys publish f", ["folder"]],
  ["jwks-server keys publish k", []],
];

/** What `completion` prints for a shell, and the help of each command by its words. */
async function printed(shell: Shell) {
  let script = "";
  const help = new Map<string, string>();
  await withWorkplace(async (workplace) => {
    script = await workplace.run(["completion", shell]);
    for (const name of COMMANDS.map(nameOf)) {
      help.set(name.join(" "), await workplace.run([...name, "--help"]));
    }
  }, { alg: "ES256" });
  return { script, help };
}

/** The last words of all commands beside this one that begin with its last word. */
function beginningLike(name: string): string[] {
  const words = name.split(" ");
  const last = words.pop()!;
  const beside = COMMANDS.map(nameOf).filter((other) =>
    other.slice(0, -1).join(" ") === words.join(" ")
  );
  const names = beside.map((other) => other.at(-1)!).filter((other) => other.startsWith(last));
  return [...new Set(names)].sort();
}

for (const shell of SHELLS) {
  Deno.test({
    name:
      `completion ${shell} completes commands, options, their values and paths, and nothing else`,
    ignore: !await works([shell, "-c", "exit"], `the completion of ${shell}`),
    async fn() {
      const { script, help } = await printed(shell);
      const cases = [...CASES, ...PATHS];
      for (const [name, text] of help) {
        const options = [...text.matchAll(/^ {2}(?:-\w, )?(--[\w-]+)/gm)].map(([, own]) => own!);
        cases.push([`jwks-server ${name}`, beginningLike(name)]);
        cases.push([`jwks-server ${name} --`, options.sort()]);
      }
      const found = await offers(shell, { script, lines: cases.map(([line]) => line) });
      cases.forEach(([line, offered], index) => {
        assert.deepEqual(found[index], offered, `${shell}: ${line}`);
      });
    },
  });
}

Deno.test("completion refuses a shell that it does not know, and needs neither database nor order", async () => {
  await withWorkplace(async (workplace) => {
    assert.equal(await workplace.exitCode(["completion", "tcsh"]), 2);
    const script = await workplace.run(["completion", "bash"], { PORT: "none", DATABASE: "/none" });
    assert.match(script, /^complete -F _jwks_server jwks-server$/m);
  });
});
