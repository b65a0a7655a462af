/** The workflow: valid, and its steps run as GitHub would run them. */

import assert from "node:assert/strict";
import { fileURLToPath } from "node:url";
import workflow from "../../lib/cli/examples/github-actions.yml" with { type: "text" };
import { Directory, freePort } from "../blackbox/harness.ts";
import { commandLine } from "../blackbox/process.ts";
import { parseYaml } from "../cli/examples.ts";
import { canUse, succeed } from "./tool.ts";

const FILE = fileURLToPath(
  new URL("../../lib/cli/examples/github-actions.yml", import.meta.url),
);

const canLint = await canUse(["actionlint", "-version"], "github-actions");
const canValidate = await canUse(["check-jsonschema", "--version"], "github-actions");
const canRun = await canUse(["bash", "-c", "command -v curl jq"], "github-actions");

Deno.test({ name: "actionlint finds nothing in the workflow", ignore: !canLint }, async () => {
  await using directory = new Directory();
  const file = `${directory.path}/integration.yml`; // it takes others for something else
  await Deno.writeTextFile(file, workflow);
  assert.equal(await succeed(["actionlint", "-no-color", file]), "");
});

Deno.test({ name: "the workflow is of GitHub's schema", ignore: !canValidate }, async () => {
  await succeed(["check-jsonschema", "--builtin-schema", "vendor.github-workflows", FILE]);
});

interface Step {
  name?: string;
  run?: string;
  env?: Record<string, string>;
}

/** A `jwks-server` for the steps to find, which tells under which id it runs. */
async function writeProgram(path: string): Promise<void> {
  const program = commandLine().map((word) => `'${word}'`).join(" ");
  const text = `#!/bin/sh\n[ $# -eq 0 ] && echo $$ > '${path}/pid'\nexec ${program} "$@"\n`;
  await Deno.writeTextFile(`${path}/jwks-server`, text, { mode: 0o755 });
}

/** What a step has added to the environment of those after it. */
async function addedTo(file: string): Promise<Record<string, string>> {
  const lines = (await Deno.readTextFile(file)).split("\n").filter((line) => line !== "");
  return Object.fromEntries(lines.map((line) => line.split("=") as [string, string]));
}

Deno.test({
  name: "the steps of the workflow start an issuer, register a client and get a token",
  ignore: !canRun,
}, async () => {
  await using directory = new Directory();
  const { path } = directory;
  await writeProgram(path);
  const port = String(freePort());
  const own = { GITHUB_ENV: `${path}/environment`, RUNNER_TEMP: path, PORT: port };
  await Deno.writeTextFile(own.GITHUB_ENV, "");
  const [{ jobs: { integration } }] = parseYaml(workflow);
  const steps: Step[] = integration.steps;
  const issuer = integration.env.ISSUER.replace("8080", port);
  const said: string[] = [];
  try {
    for (const name of ["Start the issuer", "Register a client", "See that it gets tokens"]) {
      const { run, env = {} } = steps.find((step) => step.name === name)!;
      const given = Object.entries(env).map(([key, value]) =>
        [key, value.replace("${{ runner.temp }}", path)] as const
      );
      said.push(
        await succeed(["bash", "-e", "-c", run!], {
          cwd: path,
          env: {
            ...{ ...own, ISSUER: issuer, PATH: `${path}:${Deno.env.get("PATH")}` },
            ...await addedTo(own.GITHUB_ENV),
            ...Object.fromEntries(given),
          },
        }),
      );
    }
  } finally {
    await stopIssuer(path);
  }
  const { CLIENT_ID, CLIENT_SECRET } = await addedTo(own.GITHUB_ENV);
  assert.equal(CLIENT_ID, "tests");
  assert.deepEqual(said, ["", `::add-mask::${CLIENT_SECRET}\n`, "3600\n"]);
});

/** Ends what the first step has started, and waits until it has ended. */
async function stopIssuer(path: string): Promise<void> {
  const pid = (await Deno.readTextFile(`${path}/pid`)).trim();
  await succeed([
    "bash",
    "-c",
    `kill ${pid}; while kill -0 ${pid} 2>/dev/null; do sleep 0.1; done`,
  ]);
}
