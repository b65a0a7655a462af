import assert from "node:assert/strict";
import { askForMore, findScreen } from "../../lib/cli/screen.ts";
import { capture } from "./captured.ts";

/** Asks a reader who types this; `null` is the end of a terminal. */
async function ask(typed: string | null) {
  const before = Deno.stdin.readSync;
  Deno.stdin.readSync = (buffer) => {
    if (typed === null) return null;
    return new TextEncoder().encodeInto(typed, buffer).written;
  };
  let wantsMore: boolean | undefined;
  try {
    const { stdout } = await capture(() => Promise.resolve(void (wantsMore = askForMore())));
    return { wantsMore, stdout };
  } finally {
    Deno.stdin.readSync = before;
  }
}

Deno.test("askForMore() goes on at Enter, and ends at q and with the terminal", async () => {
  for (
    const [typed, expected] of [["\n", true], ["x\n", true], ["q\n", false], ["", false], [
      null,
      false,
    ]] as const
  ) assert.equal((await ask(typed)).wantsMore, expected, JSON.stringify(typed));
});

Deno.test("askForMore() takes the question away when it is answered", async () => {
  const { stdout } = await ask("\n");
  assert.equal(stdout, "-- Enter: more, q: enough --\x1b[1A\r\x1b[2K");
  assert.match((await ask(null)).stdout, /--\n$/);
});

Deno.test("findScreen() takes nothing for a screen but a terminal that is both written to and typed into", () => {
  const terminals = [Deno.stdout.isTerminal, Deno.stdin.isTerminal] as const;
  try {
    for (const [out, into] of [[false, false], [true, false], [false, true], [true, true]]) {
      Deno.stdout.isTerminal = () => out!;
      Deno.stdin.isTerminal = () => into!;
      assert.equal(findScreen() !== undefined, out && into);
    }
  } finally {
    [Deno.stdout.isTerminal, Deno.stdin.isTerminal] = terminals;
  }
});
