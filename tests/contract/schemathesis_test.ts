import assert from "node:assert/strict";
import { dirname } from "node:path";
import { fileURLToPath } from "node:url";
import { Server, UNLIMITED } from "../blackbox/harness.ts";
import { withTempDir } from "../support.ts";
import { pythonWith, run } from "./tools.ts";

const python = await pythonWith("schemathesis");
const CONFIGURATION = fileURLToPath(new URL("schemathesis.toml", import.meta.url));
const HOOKS = fileURLToPath(new URL("schemathesis_hooks.py", import.meta.url));

/** A client, the server that it uses, and what of it is tried. */
interface Trial {
  /** Where the client proves itself. */
  method: "basic" | "body";
  env?: Record<string, string>;
  options: (username: string, password: string) => string[];
}

const TRIALS: Record<string, Trial> = {
  "of a client that uses HTTP Basic": {
    method: "basic",
    options: (username, password) => ["--auth", `${username}:${password}`],
  },
  "of a client that proves itself in the body": {
    method: "body",
    options: () => ["--include-method=POST"],
  },
  "of a client that asks for test tokens": {
    method: "body",
    env: { TEST_TOKENS: "on" },
    options: () => [
      "--include-path=/auth",
      "--include-path=/token",
      // What of a test token does not go together, and that each wish stands in one place, no schema says.
      "--exclude-checks=positive_data_acceptance",
    ],
  },
};

for (const [what, { method, env = {}, options }] of Object.entries(TRIALS)) {
  Deno.test({
    name: `Schemathesis finds nothing that is not as described, ${what}`,
    ignore: python === undefined,
    fn: () =>
      withTempDir(async (cwd) => {
        const own = { ...UNLIMITED, SIGNING_ALG: "ES256", ...env };
        await using server = await Server.start({ env: own });
        const { username, password } = await server.register("contract");
        await allow(server, username);
        const command = [
          `${dirname(python!)}/schemathesis`,
          "--no-color",
          ...["--config-file", CONFIGURATION],
          ...["run", `${server.url}/openapi.json`],
          ...options(username, password),
        ];
        const { isContent, said } = await run(command, {
          cwd,
          env: {
            CONTRACT_HOOKS: HOOKS,
            CONTRACT_USERNAME: username,
            CONTRACT_PASSWORD: password,
            CONTRACT_METHOD: method,
          },
        });
        assert.ok(isContent, said);
        assert.match(said, /Tested: +[1-9]/, said);
      }),
  });
}

/** The client may have what the hooks say that it may. */
async function allow(server: Server, username: string): Promise<void> {
  const scopes = ["read", "write"].flatMap((scope) => ["--scope", scope]);
  const policy = [...scopes, "--audience", "https://api.example"];
  const { code, stderr } = await server.directory.run(["users", "set", username, ...policy]);
  assert.equal(code, 0, stderr);
}
