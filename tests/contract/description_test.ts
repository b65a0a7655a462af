import assert from "node:assert/strict";
import { describeApi } from "../../lib/http/openapi/document.ts";
import { EVERYTHING } from "../http/described_answer.ts";
import { withTempDir } from "../support.ts";
import { npmTool, run } from "./tools.ts";

const redocly = await npmTool("redocly");
const spectral = await npmTool("spectral");

/** The descriptions of servers that have everything, nothing but the least, and a path. */
const DESCRIBED = {
  everything: EVERYTHING,
  least: {
    ...EVERYTHING,
    registration: false,
    expiredTokens: false,
    page: false,
    testTokens: false,
  },
  path: { ...EVERYTHING, issuer: `${EVERYTHING.issuer}/tenant` },
};

/** The rules of spectral that are not followed, all of them such as it does not recommend. */
const UNWANTED = {
  "contact-properties": "off", // whoever runs a server has no e-mail address that it knows
  "license-url": "off", // OpenAPI 3.1 forbids one beside the identifier of SPDX
  "openapi-tags-alphabetical": "off", // they stand in the order in which one needs them
};

/** Writes every description into a file. */
async function writeAll(directory: string): Promise<string[]> {
  return await Promise.all(
    Object.entries(DESCRIBED).map(async ([name, options]) => {
      const path = `${directory}/${name}.json`;
      await Deno.writeTextFile(path, JSON.stringify(describeApi(options), null, 1));
      return path;
    }),
  );
}

Deno.test({
  name: "redocly finds nothing in the description, with all rules that it recommends",
  ignore: redocly === undefined,
  fn: () =>
    withTempDir(async (directory) => {
      const files = await writeAll(directory);
      const args = ["lint", ...files, "--extends=recommended-strict", "--format=json"];
      const env = { REDOCLY_TELEMETRY: "off", REDOCLY_SUPPRESS_UPDATE_NOTICE: "true" };
      const { isContent, said } = await run([redocly!, ...args], { cwd: directory, env });
      assert.ok(isContent, said);
    }),
});

Deno.test({
  name: "spectral finds nothing in the description, with all rules for OpenAPI",
  ignore: spectral === undefined,
  fn: () =>
    withTempDir(async (directory) => {
      const files = await writeAll(directory);
      const ruleset = `${directory}/ruleset.json`;
      const rules = { extends: [["spectral:oas", "all"]], rules: UNWANTED };
      await Deno.writeTextFile(ruleset, JSON.stringify(rules));
      const args = ["lint", "--fail-severity=hint", "--ruleset", ruleset, ...files];
      const { isContent, said } = await run([spectral!, ...args], { cwd: directory });
      assert.ok(isContent, said);
    }),
});
