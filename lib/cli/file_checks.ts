/** What `doctor` checks of the files, one thing a function. */

import { statfs } from "node:fs";
import { dirname } from "node:path";
import { promisify } from "node:util";
import { diskFault } from "../base/disk.ts";
import { NETWORK_ADVICE, networkUnder, type ReadType } from "../base/file_system.ts";
import { secretFileOf } from "../sealing/secret_file.ts";
import type { Config } from "../server/config.ts";
import { checkIntegrity, examineDatabase } from "../storage/sqlite/examination.ts";
import { SCHEMA_VERSION } from "../storage/sqlite/schema.ts";
import { type Finding, ok, problem, warning } from "./finding.ts";

/** Free disk space below which to warn, in bytes. */
const LITTLE_SPACE = 100 * 1024 * 1024;

/** @throws as `examineDatabase` does. */
export function checkDatabase({ database }: Config): Finding {
  const examined = examineDatabase(database);
  examined.snapshot?.connection.close();
  if (examined.isNew) {
    return problem("database", `there is no ${database}`, "set DATABASE, or start the server");
  }
  const details = checkIntegrity(database);
  if (details === "ok") return ok("database", `sound, schema version ${SCHEMA_VERSION}`);
  return problem("database", `corrupt (${details})`, "put a backup in its place");
}

export async function checkSecretFile(config: Config): Promise<Finding> {
  if (config.secret !== undefined) return ok("secret file", "not used: NOT_MY_KEY is set");
  return await checkMode("secret file", config.secretFile ?? secretFileOf(config.database));
}

export async function checkMode(check: string, file: string): Promise<Finding> {
  const info = await Deno.stat(file).catch(() => undefined);
  if (info === undefined) {
    return problem(check, `${file} cannot be seen`, "restore it from a backup");
  }
  const mode = (info.mode ?? 0o600) & 0o777;
  const text = mode.toString(8).padStart(3, "0");
  if ((mode & 0o077) === 0) return ok(check, `${file} has mode ${text}`);
  return problem(check, `${file} has mode ${text}: others may read it`, `chmod 600 ${file}`);
}

export async function checkDisk(
  { database }: Pick<Config, "database">,
  readType?: ReadType,
): Promise<Finding> {
  const found = await promisify(statfs)(dirname(database)).catch(() => undefined);
  if (found === undefined) {
    return problem("disk", `${dirname(database)} cannot be seen`, "set DATABASE, or make it");
  }
  const fault = diskFault(database);
  if (fault !== undefined) {
    return problem("disk", fault, "make it writable, with room: until then no token is issued");
  }
  const network = await networkUnder(database, readType);
  if (network !== undefined) {
    return warning("disk", `a network file system (${network})`, NETWORK_ADVICE);
  }
  const { bavail, bsize } = found;
  const free = Number(bavail) * Number(bsize);
  const message = `${Math.floor(free / 1024 / 1024)} MiB free`;
  if (free >= LITTLE_SPACE) return ok("disk", message);
  return warning("disk", message, "make room: without it no token is issued");
}
