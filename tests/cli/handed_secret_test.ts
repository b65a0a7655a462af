import assert from "node:assert/strict";
import { warnOfSecretFile } from "../../lib/sealing/secret.ts";
import { sourceIn } from "../sealing/secret_files.ts";
import { say } from "../blackbox/skip.ts";
import { recordingLog, SECRET } from "../support.ts";
import { withWorkplace } from "./workplace.ts";

const isRoot = Deno.uid() === 0;
if (!isRoot) await say("the check of a secret that root hands over", "root");

/** Runs `body` as if this process were another user. */
async function asUser(uid: number, body: () => Promise<void>): Promise<void> {
  const own = Deno.uid;
  Deno.uid = () => uid;
  try {
    await body();
  } finally {
    Deno.uid = own;
  }
}

Deno.test({
  name: "doctor and the start take a secret that root hands over to the server's group",
  ignore: !isRoot,
  fn: async () => {
    await withWorkplace(async (workplace) => {
      const file = `${workplace.directory}/secret`;
      await Deno.writeTextFile(file, SECRET);
      const found = async () => {
        const env = { NOT_MY_KEY: undefined, NOT_MY_KEY_FILE: file };
        const { log, lines } = recordingLog();
        await warnOfSecretFile({ value: SECRET, file }, sourceIn(workplace.directory), log);
        return [(await workplace.findings(env))["secret file"], lines.length];
      };
      await Deno.chmod(file, 0o440);
      await Deno.chmod(workplace.path, 0o640);
      assert.deepEqual(await found(), ["problem", 1]);
      await asUser(65532, async () => {
        assert.deepEqual(await found(), ["ok", 0]);
        assert.equal((await workplace.findings())["database file"], "problem");
        await Deno.chmod(file, 0o444);
        assert.deepEqual(await found(), ["problem", 1]);
      });
    }, { alg: "ES256" });
  },
});
