/** The checker of linearizability, which is a program in Go: whether histories can be explained. */

import assert from "node:assert/strict";
import { prepare, within } from "../clients/driver/installation.ts";
import type { Operation } from "./history.ts";

/** What was found out about a client or a key. */
export interface Verdict {
  subject: string;
  /** `Unknown`: it was not decided in time. */
  result: "Ok" | "Illegal" | "Unknown";
  /** How far an order explains the answers of an illegal history, and which it does not. */
  explanation?: string[];
}

const PROGRAM = ["./bin/checker"] as const;

const directory = await prepare({
  name: "checker",
  directory: new URL("checker/", import.meta.url),
  tools: [["go", "version"]],
  pins: ["go.mod", "go.sum"],
  install: [["go", "mod", "download"]],
  build: [["go", "build", "-o", "bin/", "."]],
  reach: ["go", "list", "-m", "-versions", "github.com/anishathalye/porcupine"],
}, "the check of linearizability");

/** Whether histories can be checked here. */
export const canCheck = directory !== undefined;

/** A verdict on each subject of a history. */
export async function judge(operations: readonly Operation[]): Promise<Verdict[]> {
  const [program, ...args] = within(directory!, PROGRAM);
  const child = new Deno.Command(program, {
    args,
    stdin: "piped",
    stdout: "piped",
    stderr: "inherit",
  }).spawn();
  const lines = operations.map((operation) => `${JSON.stringify(operation)}\n`);
  const written = new Blob(lines).stream().pipeTo(child.stdin);
  const [{ success, stdout }] = await Promise.all([child.output(), written]);
  assert.ok(success, "the checker has failed");
  const text = new TextDecoder().decode(stdout);
  return text.split("\n").filter((line) => line !== "").map((line) => JSON.parse(line));
}

/** Asserts that every answer of a history can be explained, and that all of it was decided. */
export async function assertLinearizable(operations: readonly Operation[]): Promise<void> {
  const wrong = (await judge(operations)).filter(({ result }) => result !== "Ok");
  const [first] = wrong;
  if (first === undefined) return;
  const { subject, result, explanation = [] } = first;
  const lines = [`${wrong.length} subjects, such as ${subject}: ${result}`, ...explanation];
  assert.fail(lines.join("\n  "));
}
