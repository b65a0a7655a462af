/** `backup`: a consistent copy of the database while the server runs. */

import type { Command } from "commander";
import { DISK, irregularity } from "../base/disk.ts";
import { DomainError } from "../base/errors.ts";
import { SqliteStorage } from "../storage/sqlite/sqlite_storage.ts";
import { example, notes } from "./arguments.ts";
import { type CommandContext, configOf, withStorage } from "./context.ts";
import { LARGE } from "./file_checks.ts";
import type { Output } from "./output.ts";
import { noBackupOf } from "./postgres_backup.ts";

export function addBackup(program: Command, context: CommandContext): void {
  program.command("backup")
    .description("write a consistent copy of the database while the server runs")
    .argument("<file>", "the copy, which must not exist")
    .addHelpText(
      "after",
      notes(
        "The copy holds no secret: keep NOT_MY_KEY, or its file, apart from it.",
        "Of a database on a PostgreSQL server none is made: it prints the commands of",
        "PostgreSQL that make one and restore it, with exit code 2. They ask for the",
        "password, or find it in the file that PGPASSFILE names; give them the server",
        "itself, not a pooler.",
      ),
    )
    .addHelpText("after", example("jwks-server backup /backups/jwks-2026-11-22.db"))
    .action(async (file) => {
      Deno.umask(0o077);
      const { database, databaseCaFile: caFile, migrate } = configOf(context);
      if (database.engine === "postgres") {
        throw noBackupOf(database.server, { file, caFile, migrate });
      }
      await withStorage(context, async (storage) => {
        if (!(storage instanceof SqliteStorage)) throw new TypeError("A file has another storage");
        await backup({ storage, database: database.path, file }, context.output);
      });
    });
}

/** Copies aside and links into place, so that `file` is a whole backup or not there at all. */
async function backup(
  { storage, database, file }: { storage: SqliteStorage; database: string; file: string },
  output: Output,
): Promise<void> {
  const draft = `${file}.${crypto.randomUUID()}`;
  try {
    assertFree(file);
    const { size } = await Deno.stat(database);
    output.progress.step(`copying ${Math.round(size / 1024 / 1024)} MiB`, size > LARGE);
    await storage.backup(draft);
    using written = await Deno.open(draft);
    await written.sync();
    await DISK.link(draft, file);
    await DISK.sync(file);
  } catch (error) {
    if (error instanceof Deno.errors.AlreadyExists) {
      throw exists(file, "exists already");
    }
    if (error instanceof DomainError) throw error;
    const reason = error instanceof Error ? error.message : String(error);
    throw new DomainError("failed", `The backup ${file} cannot be written: ${reason}`, {
      cause: error,
      hints: ["see that its directory exists, is writable and has room"],
    });
  } finally {
    await Deno.remove(draft).catch(() => {}); // it may never have come to be
  }
  const { size } = await Deno.stat(file);
  output.print(
    `${file} is a backup of ${size} bytes, sealed under the same secret: keep that apart`,
  );
}

/** Nothing is written beside a device or a directory. */
function assertFree(file: string): void {
  const kind = irregularity(file);
  if (kind !== undefined) throw exists(file, `is ${kind}`);
}

function exists(file: string, how: string): DomainError {
  return new DomainError("failed", `The file ${file} ${how}`, { hints: ["name another file"] });
}
