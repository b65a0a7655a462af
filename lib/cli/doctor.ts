/** `doctor`: everything that can be checked, each line with what to do about it. */

import type { Config } from "../server/config.ts";
import { CommandError, EXIT } from "../base/errors.ts";
import { KeyRing } from "../keys/key_ring.ts";
import { createLog } from "../base/log.ts";
import {
  asCommandError,
  checkClock,
  checkDatabase,
  checkIssuer,
  checkMode,
  checkProxies,
  checkPublished,
  checkSchedule,
  checkSecretFile,
  checkSpace,
  type Finding,
  ok,
  problem,
} from "./checks.ts";
import { openExistingKeys } from "../server/open.ts";
import type { Output } from "./output.ts";

/** Checks everything, prints a line a check, and fails when there is a problem. */
export async function doctor(
  { config, output }: { config: Config; output: Output },
  options: { json?: boolean },
): Promise<void> {
  const findings = await examine(config);
  if (options.json) output.print(JSON.stringify(findings, null, 2));
  else for (const finding of findings) output.print(describe(finding, output));
  const problems = findings.filter(({ status }) => status === "problem").length;
  if (problems > 0) {
    throw new CommandError(
      EXIT.failed,
      `${problems === 1 ? "a problem" : `${problems} problems`} found`,
    );
  }
}

async function examine(config: Config): Promise<Finding[]> {
  const files = [
    await checkDatabase(config),
    await checkMode("database file", config.database),
    await checkSecretFile(config),
    await checkSpace(config),
  ];
  const opened = await openAll(config);
  if ("finding" in opened) return [...files, opened.finding];
  const { keys, ring } = opened;
  try {
    return [
      ...files,
      ok("secret", `opens all ${ring.keys.length} keys`),
      checkPublished(ring),
      checkSchedule(ring.keys, config, keys.clock),
      await checkClock(keys),
      await checkProxies(config, keys),
      await checkIssuer(config, ring),
    ];
  } finally {
    await keys.storage.close();
  }
}

async function openAll(config: Config) {
  try {
    const keys = await openExistingKeys(config, createLog("error", () => {}));
    return { keys, ring: await KeyRing.load(keys) };
  } catch (error) {
    const { message, hints } = asCommandError(error);
    return { finding: problem("secret", message, hints[0] ?? "restore a backup") };
  }
}

function describe({ check, status, message, hint }: Finding, output: Output): string {
  const label = status === "ok" ? "ok" : output.strong(status);
  return `${label.padEnd(7)}  ${check}: ${message}${
    hint === undefined ? "" : `\n         ${hint}`
  }`;
}
