import assert from "node:assert/strict";
import { dirname } from "node:path";
import { fileURLToPath } from "node:url";
import { Server, UNLIMITED } from "../blackbox/harness.ts";
import { withTempDir } from "../support.ts";
import { pythonWith, run } from "./tools.ts";

const python = await pythonWith("schemathesis");
const CONFIGURATION = fileURLToPath(new URL("schemathesis.toml", import.meta.url));
const HOOKS = fileURLToPath(new URL("schemathesis_hooks.py", import.meta.url));

/** The options of a client that authenticates in this way. */
const METHODS: Record<string, (username: string, password: string) => string[]> = {
  basic: (username, password) => ["--auth", `${username}:${password}`],
  body: () => ["--include-method=POST"],
};

for (const [method, options] of Object.entries(METHODS)) {
  Deno.test({
    name: `Schemathesis finds nothing that is not as described, of a client that uses: ${method}`,
    ignore: python === undefined,
    fn: () =>
      withTempDir(async (cwd) => {
        await using server = await Server.start({ env: { ...UNLIMITED, SIGNING_ALG: "ES256" } });
        const { username, password } = await server.register("contract");
        const scopes = ["read", "write"].flatMap((scope) => ["--scope", scope]);
        const policy = [...scopes, "--audience", "https://api.example"];
        const allowed = await server.directory.run(["users", "set", username, ...policy]);
        assert.equal(allowed.code, 0, allowed.stderr);
        const env = {
          CONTRACT_HOOKS: HOOKS,
          CONTRACT_USERNAME: username,
          CONTRACT_PASSWORD: password,
          CONTRACT_METHOD: method,
        };
        const command = [
          `${dirname(python!)}/schemathesis`,
          "--no-color",
          ...["--config-file", CONFIGURATION, "run"],
        ];
        const own = options(username, password);
        const { isContent, said } = await run(
          [...command, `${server.url}/openapi.json`, ...own],
          { cwd, env },
        );
        assert.ok(isContent, said);
        assert.match(said, /Tested: +[1-9]/, said);
      }),
  });
}
