/** `doctor`: everything that can be checked, each line with what to do about it. */

import type { Command } from "commander";
import { DomainError } from "../base/errors.ts";
import { createLog } from "../base/log.ts";
import { KeyRing } from "../keys/key_ring.ts";
import type { Config } from "../server/config.ts";
import { openExistingDatabase, secretSourceOf } from "../server/open.ts";
import type { SharedLimitSettings } from "../server/shared_limit_settings.ts";
import { example, notes } from "./arguments.ts";
import { attempt } from "./attempt.ts";
import {
  checkClock,
  checkKeys,
  checkPolicy,
  checkProxies,
  checkPublished,
  checkSchedule,
} from "./checks.ts";
import { type CommandContext, configOf } from "./context.ts";
import {
  checkCertificate,
  checkDatabase,
  checkDisk,
  checkMode,
  checkSecretFile,
  checkSecretMode,
  checkUrlFiles,
} from "./file_checks.ts";
import { checkIssuer, checkTestTokens } from "./server_checks.ts";
import type { Finding } from "./finding.ts";
import type { Output } from "./output.ts";
import type { Progress } from "./progress.ts";

export function addDoctor(program: Command, context: CommandContext): void {
  program.command("doctor")
    .description("check everything that can be checked; exit 1 on a problem")
    .option("--json", "print JSON")
    .addHelpText(
      "after",
      notes(
        "Set what the server's environment says. Warnings alone end with exit code 0.",
        "Of a PostgreSQL server it also checks what the role may do, settings by which",
        "rows are lost, the clock, and the servers on it: each tells of itself every",
        "ten seconds. With REDIS_URL it checks the rate limit that they share.",
      ),
    )
    .addHelpText("after", example("jwks-server doctor", "jwks-server doctor --json"))
    .action((options) => doctor(configOf(context), context.output, options));
}

/** Checks everything, prints a line a check, and fails when there is a problem. */
async function doctor(config: Config, output: Output, options: { json?: boolean }): Promise<void> {
  const findings = await examine(config, output);
  if (options.json) output.printJson(findings, 2);
  else for (const finding of findings) print(finding, output);
  const problems = findings.filter(({ status }) => status === "problem").length;
  if (problems === 0) return;
  throw new DomainError("failed", `${problems === 1 ? "A problem" : `${problems} problems`} found`);
}

/** What can be said without the secret, and then, if the database opens with it, the rest. */
async function examine(config: Config, { progress }: Output): Promise<Finding[]> {
  const { tls, database, sharedLimit, urlFiles } = config;
  const findings = [
    ...database.engine === "sqlite"
      ? await examineFile(database.path, progress)
      : await (await import("./database_checks.ts")).examineServer(database.server, config),
    ...sharedLimit ? await attempt("rate limit", () => examineLimit(sharedLimit)) : [],
    ...await attempt("secret file", () => checkSecretFile(secretSourceOf(config))),
    ...await attempt("URL files", () => checkUrlFiles(urlFiles)),
    ...await attempt("certificate", () => checkCertificate(config, Date.now)),
    ...await attempt("test tokens", () => checkTestTokens(config)),
    ...tls ? await attempt("TLS key file", () => checkSecretMode("TLS key file", tls.keyFile)) : [],
  ];
  const rest = await attempt("secret", async () => {
    const unchanged = { ...config, migrate: false };
    const database = await openExistingDatabase(unchanged, createLog("error", () => {}));
    const parts = { config, database, ring: await KeyRing.load(database) };
    const found = [
      ...await attempt("secret", () => checkKeys(parts)),
      ...await attempt("policy", () => checkPolicy(parts)),
      ...await attempt("published set", () => checkPublished(parts)),
      ...await attempt("schedule", () => checkSchedule(parts)),
      ...await attempt("clock", () => checkClock(parts)),
      ...await attempt("proxies", () => checkProxies(parts)),
      ...await attempt("issuer", () => checkIssuer(parts)),
    ];
    await database.storage.close();
    return found;
  });
  return [...findings, ...rest];
}

/** What decides for several servers, whose client nobody else need load. */
async function examineLimit(settings: SharedLimitSettings): Promise<Finding[]> {
  const { checkSharedLimit } = await import("./limit_checks.ts");
  return await checkSharedLimit(settings);
}

/** What can be said of a database in a file. */
async function examineFile(path: string, progress: Progress): Promise<Finding[]> {
  return [
    ...await attempt("database", () => checkDatabase(path, progress)),
    ...await attempt("database file", () => checkMode("database file", path)),
    ...await attempt("disk", () => checkDisk(path)),
  ];
}

function print({ check, status, message, hint }: Finding, output: Output): void {
  const line = `${status.padEnd(7)}  ${check}: ${message}`;
  if (status === "ok") output.print(line);
  else output.printStrong(line);
  if (hint !== undefined) output.print(`         ${hint}`);
}
