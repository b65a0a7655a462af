import assert from "node:assert/strict";
import fc from "fast-check";
import { commandsFor, shellWord } from "../../../lib/http/page/curl.ts";

/** What a shell makes of the words of a line. */
async function wordsOf(line: string): Promise<string[]> {
  const args = ["-c", `for word in ${line}; do printf '%s\\0' "$word"; done`];
  const env = { PASSWORD: "secret" };
  const { stdout } = await new Deno.Command("sh", { args, env }).output();
  return new TextDecoder().decode(stdout).split("\0").slice(0, -1);
}

Deno.test("shellWord() is one word to a shell, the same one, whatever is in it", async () => {
  const texts = fc.array(fc.string({ minLength: 1 }).filter((text) => !text.includes("\0")), {
    minLength: 20,
    maxLength: 20,
  });
  for (const words of fc.sample(texts, 5)) {
    assert.deepEqual(await wordsOf(words.map(shellWord).join(" ")), words);
  }
});

Deno.test("commandsFor() has lines that a shell reads as they are meant", async () => {
  const { register, expired } = commandsFor("https://a.example/it's", "https://keys.example");
  assert.deepEqual(await wordsOf(register[0]!.line), [
    "curl",
    "-s",
    "https://a.example/it's/register",
    "-H",
    "Content-Type: application/json",
    "-d",
    '{"username":"reporting","email":"ops@example.com"}',
  ]);
  assert.deepEqual(await wordsOf(expired[0]!.line), [
    ...["curl", "-s", "https://a.example/it's/auth?expired=true"],
    ...["-X", "POST", "-u", "reporting:secret"],
  ]);
});
