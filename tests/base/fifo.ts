/** A FIFO, which Deno cannot make itself. */

import assert from "node:assert/strict";

/** Makes a FIFO at `path`. */
export async function makeFifo(path: string): Promise<void> {
  const { success } = await new Deno.Command("mkfifo", { args: [path] }).output();
  assert.ok(success, "mkfifo failed");
}
