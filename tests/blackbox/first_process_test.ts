/** The server as the first process of a container, which no signal ends that nobody waits for. */

import assert from "node:assert/strict";
import { Directory } from "./harness.ts";
import { Program } from "./process.ts";
import { works } from "./skip.ts";

const NAMESPACE = ["unshare", "--pid", "--fork", "--"];
const canUnshare = await works([...NAMESPACE, "true"], "the server as process 1");

/**
 * Starts the program as process 1 of a namespace, and sends it SIGTERM as soon as the kernel says
 * that it is caught (bit 14 of SigCgt); tells what is in the directory at that moment.
 */
const SCRIPT = `
${NAMESPACE.join(" ")} "$@" & outer=$!
until first=$(pgrep -P $outer) && grep -q 'SigCgt:.*[4-7c-f]...$' /proc/$first/status; do
  kill -0 $outer || exit 99
done
echo "made: $(ls)" >&2
kill -TERM $first
wait $outer`;

Deno.test({
  name: "SIGTERM ends it as process 1 with exit code 0, however early it comes",
  ignore: !canUnshare,
}, async () => {
  for (let i = 0; i < 3; i++) {
    await using directory = new Directory();
    const program = new Program([], {
      cwd: directory.path,
      env: { PORT: "0", ARGON2_MEMORY_KIB: "64" },
      wrapper: ["sh", "-c", SCRIPT, "sh"],
    });
    const { code, stdout, stderr } = await program.ended;
    assert.equal(code, 0, stderr);
    assert.equal(stdout, "", "it never said that it listens");
    assert.match(stderr, /^made: $/m, "nothing slow had been done when the signal came");
  }
});
