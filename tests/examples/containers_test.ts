/** The examples for containers, by the schemas and the linter of their kinds. */

import assert from "node:assert/strict";
import { fileURLToPath } from "node:url";
import { canUse, succeed } from "./tool.ts";

const EXAMPLES = fileURLToPath(new URL("../../lib/cli/examples/", import.meta.url));

interface Tool {
  version: string[];
  check: string[];
  /** What stands in the file, and what it would be by mistake. */
  wrong: [string, string];
}

const COMPOSE: Tool = {
  version: ["check-jsonschema", "--version"],
  check: ["check-jsonschema", "--builtin-schema", "vendor.compose-spec"],
  wrong: ["cap_drop", "cap-drop"],
};

const KUBERNETES: Tool = {
  version: ["kubernetes-validate", "--version"],
  check: ["kubernetes-validate", "--strict"],
  wrong: ["readOnlyRootFilesystem", "readonlyRootFilesystem"],
};

const TOOLS: Record<string, Tool> = {
  "compose.yaml": COMPOSE,
  "compose-replicas.yaml": COMPOSE,
  "kubernetes.yaml": KUBERNETES,
  "kubernetes-replicas.yaml": KUBERNETES,
  "Dockerfile": {
    version: ["hadolint", "--version"],
    check: ["hadolint", "--failure-threshold", "info"],
    wrong: ["WORKDIR /data", "WORKDIR data"],
  },
};

for (const [file, { version, check, wrong: [right, wrong] }] of Object.entries(TOOLS)) {
  const isThere = await canUse(version, file);

  Deno.test({ name: `${check[0]} finds nothing in ${file}`, ignore: !isThere }, async () => {
    await succeed([...check, EXAMPLES + file]);
  });

  Deno.test({ name: `${check[0]} would find a mistake in ${file}`, ignore: !isThere }, async () => {
    const text = await Deno.readTextFile(EXAMPLES + file);
    assert.ok(text.includes(right));
    const mistaken = await Deno.makeTempFile({ suffix: file });
    try {
      await Deno.writeTextFile(mistaken, text.replace(right, wrong));
      await assert.rejects(succeed([...check, mistaken]));
    } finally {
      await Deno.remove(mistaken);
    }
  });
}
