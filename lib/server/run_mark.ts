/** The mark in the database by which a start knows that the last server came to no clean end. */

import { isDomainError } from "../base/errors.ts";
import { failureFields } from "../base/log.ts";
import type { Storage } from "../storage/storage.ts";
import type { OpenedDatabase } from "./open.ts";

type Marked = Pick<OpenedDatabase, "log"> & { storage: Pick<Storage, "beginRun" | "endRun"> };

/** Serving is worth more than the mark: on a disk that cannot be written it is done without. */
export async function beginRun({ storage, log }: Marked): Promise<void> {
  try {
    await storage.beginRun();
  } catch (error) {
    if (!isDomainError(error, "storage_unavailable")) throw error;
    log.debug("the database is not marked as running", failureFields(error));
  }
}

/** In a file, a mark that cannot be taken away costs the next start a check. */
export async function endRun({ storage, log }: Marked): Promise<void> {
  try {
    await storage.endRun();
  } catch (error) {
    if (!isDomainError(error, "storage_unavailable")) throw error;
    log.warn("the end of this server could not be noted in the database", failureFields(error));
  }
}
