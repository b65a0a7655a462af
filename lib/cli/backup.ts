/** `backup`: a consistent copy of the database while the server runs. */

import { CommandError, EXIT } from "../base/errors.ts";
import type { SqliteStorage } from "../storage/sqlite/sqlite_storage.ts";
import type { Output } from "./output.ts";

/** Copies aside and links into place, so that `file` is a whole backup or not there at all. */
export async function backup(
  { storage, output }: { storage: SqliteStorage; output: Output },
  file: string,
): Promise<void> {
  const draft = `${file}.${crypto.randomUUID()}`;
  try {
    await storage.backup(draft);
    using written = await Deno.open(draft);
    await written.sync();
    await Deno.link(draft, file);
  } catch (error) {
    if (error instanceof Deno.errors.AlreadyExists) {
      throw new CommandError(EXIT.failed, `${file} exists already`, ["name another file"]);
    }
    const reason = error instanceof Error ? error.message : String(error);
    throw new CommandError(EXIT.failed, `the backup ${file} cannot be written: ${reason}`, [
      "see that its directory exists, is writable and has room",
    ], { cause: error });
  } finally {
    await Deno.remove(draft).catch(() => {}); // it may never have come to be
  }
  const { size } = await Deno.stat(file);
  output.print(
    `${file} is a backup of ${size} bytes, sealed under the same secret: keep that apart`,
  );
}
