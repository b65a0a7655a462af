import assert from "node:assert/strict";
import { works } from "./skip.ts";

Deno.test("a command that is not there, or fails, is one that does not work here", async () => {
  const what = "nothing: it is a test of skipping";
  assert.equal(await works(["no-such-command"], what), false);
  assert.equal(await works(["false"], what), false);
  assert.equal(await works(["true"], what), true);
});
