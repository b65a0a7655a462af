/** `apply`: clients declared in a file. */

import type { Command } from "commander";
import type { ApplyOptions } from "../accounts/declared/clients.ts";
import { declarationJsonSchema } from "../accounts/declared/schema.ts";
import { DomainError } from "../base/errors.ts";
import { applyClientsFile, readClientsFile } from "../server/clients_file.ts";
import { example } from "./arguments.ts";
import { type CommandContext, longestTokenLife, withStorage } from "./context.ts";

export function addApply(program: Command, context: CommandContext): void {
  program.command("apply")
    .description("make the clients what a JSON file says, all at once or not at all")
    .argument("[file]", "the file")
    .option("--prune", "delete the clients that the file does not name, for good")
    .option("--dry-run", "only print what would change")
    .option("--schema", "print the JSON Schema of the file, and do nothing")
    .addHelpText("after", example("jwks-server apply clients.json --dry-run"))
    .action(async (file: string | undefined, { schema, ...options }) => {
      if (schema) return context.output.printJson(declarationJsonSchema(), 2);
      if (file !== undefined) return await apply(context, file, options);
      throw new DomainError("usage", "No file is named", {
        hints: ["jwks-server apply --help shows how; --schema prints what stands in it"],
      });
    });
}

/** Applies the file and prints each change on a line. @throws as reading and applying it do. */
async function apply(context: CommandContext, file: string, options: ApplyOptions): Promise<void> {
  const { output } = context;
  await withStorage(context, async (storage, config) => {
    const declaration = await readClientsFile(file, await longestTokenLife(storage, config));
    const onProgress = (done: number, total: number) =>
      output.progress.count("clients", done, total);
    const changes = await applyClientsFile(storage, config, declaration, {
      ...options,
      onProgress,
    });
    if (changes.length === 0) return output.print("Nothing changes");
    for (const change of changes) output.print(change);
    if (options.dryRun) output.print("Nothing is changed: this only tells what would be");
  });
}
