import assert from "node:assert/strict";
import { readDocument } from "../readme/document.ts";
import { Comparison } from "../readme/masks.ts";
import { readTranscript, type Step } from "../readme/transcript.ts";
import { freePort } from "./harness.ts";
import { Shell } from "./shell.ts";
import { works } from "./skip.ts";

const README = await Deno.readTextFile(new URL("../../README.md", import.meta.url));
const steps = readDocument(README).blocks
  .filter(({ language }) => language === "console")
  .flatMap(readTranscript);

/** A command that is a server, which goes on until the next one is started. */
const SERVER = /^(?:[A-Z_]+=\S+ )*jwks-server(?: serve)?$/;

/** The port that the README shows. */
const SHOWN_PORT = ":8080";

const ignore = !await works(["bash", "-c", "curl --version && openssl version"], "the README");

Deno.test({
  name: "the commands of the README say what it shows, one after the other in one directory",
  ignore,
  fn: async () => {
    const port = freePort();
    await using shell = new Shell({ PORT: String(port), LANG: "C.UTF-8" });
    const comparison = new Comparison();
    for (const step of steps) {
      const command = comparison.translate(step.command).replaceAll(SHOWN_PORT, `:${port}`);
      const text = await type(shell, command, step);
      const lines = text.replaceAll(`:${port}`, SHOWN_PORT).replaceAll("\r", "").trimEnd();
      const difference = comparison.findDifference(step.output, lines ? lines.split("\n") : []);
      assert.ok(
        difference === undefined,
        `README.md:${step.line}: $ ${step.command}\n${difference}\n\nAll of it:\n${lines}`,
      );
    }
  },
});

async function type(shell: Shell, command: string, { line, output }: Step): Promise<string> {
  if (SERVER.test(command)) return await shell.serve(command);
  const { code, text } = await shell.run(command);
  const isRefusal = output.some((shown) => shown.startsWith("jwks-server: error: "));
  assert.equal(code !== 0, isRefusal, `README.md:${line} ends with ${code}:\n${text}`);
  return text;
}
