/** The commands on the database as a whole, on the command line. */

import type { Command } from "commander";
import type { Config } from "../server/config.ts";
import { durationOption, example, warnings } from "./arguments.ts";
import { backup } from "./backup.ts";
import { doctor } from "./doctor.ts";
import { healthcheck } from "./healthcheck.ts";
import { showLogs } from "./logs.ts";
import { openExistingKeys, openExistingStorage } from "../server/open.ts";
import type { ProgramParts } from "./program.ts";
import { rekey } from "./rekey.ts";

/** Adds `rekey`, `logs`, `backup`, `doctor` and `healthcheck`. */
export function addDatabaseCommands(
  program: Command,
  { env, output }: ProgramParts,
  config: () => Config,
): void {
  program.command("rekey")
    .description("seal every key under a new secret: NEW_NOT_MY_KEY, a file's, or one that is made")
    .option("--secret-file <file>", "a file that holds the new secret")
    .addHelpText("after", example('NEW_NOT_MY_KEY="$(cat new-secret)" jwks-server rekey'))
    .action(async ({ secretFile }) => {
      Deno.umask(0o077);
      const known = config();
      const keys = await openExistingKeys(known, warnings());
      await rekey({ keys, config: known, output }, {
        value: env("NEW_NOT_MY_KEY"),
        file: secretFile,
      }).finally(() => keys.storage.close());
    });
  program.command("logs")
    .description("the authentication log, newest last")
    .option("--user <name>", "only this user's successes")
    .addOption(durationOption("--since <duration>", "only the last while"))
    .option("--follow", "go on with what comes")
    .option("--json", "print a JSON object a line")
    .addHelpText("after", example("jwks-server logs --since 1h --follow"))
    .action(async ({ since, ...options }) => {
      const storage = await openExistingStorage(config());
      const start = since === undefined ? 0 : Date.now() - since * 1000;
      await showLogs({ storage, output }, { ...options, since: start })
        .finally(() => storage.close());
    });
  program.command("backup")
    .description("write a consistent copy of the database while the server runs")
    .argument("<file>", "the copy, which must not exist")
    .addHelpText("after", example("jwks-server backup /backups/jwks-2026-11-22.db"))
    .action(async (file) => {
      Deno.umask(0o077);
      const storage = await openExistingStorage(config());
      await backup({ storage, output }, file).finally(() => storage.close());
    });
  program.command("doctor")
    .description("check everything that can be checked; exit 1 on a problem")
    .option("--json", "print JSON")
    .addHelpText("after", example("jwks-server doctor"))
    .action((options) => doctor({ config: config(), output }, options));
  program.command("healthcheck")
    .description("exit 0 when the server on HOST and PORT is ready")
    .addHelpText("after", example("HOST=0.0.0.0 PORT=9000 jwks-server healthcheck"))
    .action(() => healthcheck(config()));
}
