/** `rekey`: everything sealed under a new secret. */

import type { Command } from "commander";
import { DomainError } from "../base/errors.ts";
import { changeSecret, renewSecret, type Resealed } from "../sealing/reseal.ts";
import { readSecretFile } from "../sealing/secret_file.ts";
import { type Config, readSecret } from "../server/config.ts";
import { secretSourceOf } from "../server/open.ts";
import { example } from "./arguments.ts";
import { type CommandContext, withDatabase } from "./context.ts";

export function addRekey(program: Command, context: CommandContext): void {
  program.command("rekey")
    .description("seal every key under a new secret: NEW_NOT_MY_KEY, a file's, or one that is made")
    .option("--secret-file <file>", "a file that holds the new secret")
    .addHelpText("after", example('NEW_NOT_MY_KEY="$(cat new-secret)" jwks-server rekey'))
    .action((options) => rekey(context, options));
}

/** Where the new secret comes from, unless it is made, and how a server is given it. */
interface GivenSecret {
  value: string;
  setting: string;
}

async function rekey(context: CommandContext, options: { secretFile?: string }): Promise<void> {
  Deno.umask(0o077);
  await withDatabase(context, async (database, config) => {
    const given = await givenSecret(context, options);
    if (given?.value === database.secret.value) {
      throw new DomainError("conflict", "The new secret is the one in use");
    }
    const resealed = given
      ? await changeSecret(database, given.value)
      : await renewSecret(database, targetOf(config));
    context.output.print(`${resealed.count} keys are sealed under the new secret`);
    for (const line of nextSteps(resealed, given, config)) context.output.print(line);
  });
}

async function givenSecret(
  { env }: CommandContext,
  { secretFile: file }: { secretFile?: string },
): Promise<GivenSecret | undefined> {
  const value = readSecret(env, "NEW_NOT_MY_KEY");
  if (value !== undefined && file !== undefined) {
    throw new DomainError("usage", "NEW_NOT_MY_KEY and --secret-file are both given", {
      hints: ["give one of them, or neither to have a secret made"],
    });
  }
  if (value !== undefined) return { value, setting: "NOT_MY_KEY set to the new secret" };
  if (file === undefined) return undefined;
  const secret = await readSecretFile(file);
  if (secret !== undefined) return { value: secret, setting: `NOT_MY_KEY_FILE=${file}` };
  throw new DomainError("secret_unusable", `The secret file ${file} does not exist`);
}

/** The file that a secret is put into which is made here. */
function targetOf(config: Config): string {
  const { secretFile, usualFile } = secretSourceOf(config);
  const file = secretFile ?? usualFile;
  if (file !== undefined) return file;
  throw new DomainError("usage", "There is no file that a new secret could be put into", {
    hints: ["set NEW_NOT_MY_KEY, or name its file by --secret-file"],
  });
}

function nextSteps(
  resealed: Resealed,
  given: GivenSecret | undefined,
  config: Config,
): string[] {
  if (config.database.engine === "postgres") return nextStepsOfAll(resealed, given);
  const { file, keptFile } = resealed;
  const isFromFile = config.secret === undefined;
  if (given !== undefined) {
    return [
      `A running server goes on with the keys it holds: start it again with ${given.setting}`,
      "Backups made before need the old secret: keep it as long as you keep them",
    ];
  }
  return [
    `The new secret is in ${file}: back it up. ` +
    (isFromFile
      ? "A running server that reads it from there goes on by itself"
      : "A running server goes on with the keys it holds: start it again without NOT_MY_KEY"),
    keptFile !== undefined && isFromFile
      ? `The old secret is kept in ${keptFile}: backups made before need it`
      : "Backups made before need the old secret: keep it as long as you keep them",
    ...(keptFile === undefined || isFromFile
      ? []
      : [`What stood in ${file} is kept in ${keptFile}`]),
  ];
}

/** Where several servers may share the database: what is made here is on this machine alone. */
function nextStepsOfAll({ file, keptFile }: Resealed, given?: GivenSecret): string[] {
  return [
    given === undefined
      ? `The new secret is in ${file}, on this machine alone: back it up, and put it into that file ` +
        "of every server, which then goes on by itself"
      : `Start every server again with ${given.setting}; one whose file holds it goes on by itself`,
    "Until then a server goes on with the keys it holds, and makes none: jwks-server doctor names it",
    keptFile === undefined
      ? "Backups made before need the old secret: keep it as long as you keep them"
      : `The old secret is kept in ${keptFile}: backups made before need it`,
  ];
}
