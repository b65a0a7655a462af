/** What `doctor` checks of the files, one thing a function. */

import { statfs } from "node:fs";
import { dirname } from "node:path";
import { promisify } from "node:util";
import { type Clock, isoTime, numericDate } from "../base/clock.ts";
import { diskFault } from "../base/disk.ts";
import { NETWORK_ADVICE, networkUnder, type ReadType } from "../base/file_system.ts";
import type { SecretSource } from "../sealing/secret.ts";
import { type FileAccess, isExposed, isOpenToOthers } from "../sealing/secret_file.ts";
import { readCertificate } from "../server/certificate.ts";
import type { Config } from "../server/config.ts";
import { examineDatabase } from "../storage/sqlite/examination.ts";
import { checkIntegrity } from "../storage/sqlite/integrity.ts";
import { SCHEMA_VERSION } from "../storage/sqlite/schema.ts";
import { type Finding, ok, problem, warning } from "./finding.ts";
import type { Progress } from "./progress.ts";

/** Free disk space below which to warn, in bytes. */
const LITTLE_SPACE = 100 * 1024 * 1024;

/** How long before its end a certificate is warned of, in milliseconds. */
const CERTIFICATE_NOTICE = 30 * 86_400_000;

/** Nothing when the server speaks HTTP. @throws as `readCertificate` does. */
export async function checkCertificate({ tls }: Config, clock: Clock): Promise<Finding[]> {
  if (tls === undefined) return [];
  const { names, notBefore, notAfter } = await readCertificate(tls);
  const now = clock();
  const moment = (time: number) => isoTime(numericDate(time));
  const renew = "renew it: a running server takes the new one by itself";
  if (notAfter <= now) {
    return [problem("certificate", `for ${names}: ended ${moment(notAfter)}`, renew)];
  }
  if (notBefore > now) {
    const message = `for ${names}: not valid before ${moment(notBefore)}`;
    return [problem("certificate", message, "set the clock right, or wait until then")];
  }
  const message = `for ${names}, valid until ${moment(notAfter)}`;
  if (notAfter - now > CERTIFICATE_NOTICE) return [ok("certificate", message)];
  return [warning("certificate", message, renew)];
}

/** The size of a database of which a part takes longer than a second to be read, in bytes. */
export const LARGE = 256 * 1024 * 1024;

/** What makes a database large. */
const MANY_ROWS = new Set(["users", "auth_logs", "all pages"]);

/** @throws as `examineDatabase` does. */
export function checkDatabase(path: string, progress: Progress): Finding {
  const examined = examineDatabase(path);
  examined.snapshot?.connection.close();
  if (examined.isNew) {
    return problem("database", `there is no ${path}`, "set DATABASE, or start the server");
  }
  const isLarge = Deno.statSync(path).size > LARGE;
  const details = checkIntegrity(path, {
    onStep: (what, step, steps) =>
      progress.step(`checking ${what} (${step} of ${steps})`, isLarge && MANY_ROWS.has(what)),
  });
  if (details === "ok") return ok("database", `sound, schema version ${SCHEMA_VERSION}`);
  return problem("database", `corrupt (${details})`, "put a backup in its place");
}

export async function checkSecretFile(
  { secret, secretFile, usualFile }: SecretSource,
): Promise<Finding> {
  if (secret !== undefined) return ok("secret file", "not used: NOT_MY_KEY is set");
  const file = secretFile ?? usualFile;
  if (file !== undefined) return await checkSecretMode("secret file", file);
  return problem("secret file", "there is none", "set NOT_MY_KEY_FILE, the same for every server");
}

/** As `checkMode`, of a file that root may have handed over to the server's group. */
export async function checkSecretMode(check: string, file: string): Promise<Finding> {
  return await checkMode(check, file, isExposed);
}

/** Of files of URLs, by the variables that name them: each may hold a password. */
export async function checkUrlFiles(files: Readonly<Record<string, string>>): Promise<Finding[]> {
  return await Promise.all(
    Object.entries(files).map(([variable, file]) => checkSecretMode(variable, file)),
  );
}

export async function checkMode(
  check: string,
  file: string,
  isOpen: (info: FileAccess) => boolean = isOpenToOthers,
): Promise<Finding> {
  const info = await Deno.stat(file).catch(() => undefined);
  if (info === undefined) {
    return problem(check, `${file} cannot be seen`, "restore it from a backup");
  }
  const mode = (info.mode ?? 0o600) & 0o777;
  const text = mode.toString(8).padStart(3, "0");
  if (!isOpen(info)) return ok(check, `${file} has mode ${text}`);
  return problem(check, `${file} has mode ${text}: others may read it`, `chmod 600 ${file}`);
}

export async function checkDisk(path: string, readType?: ReadType): Promise<Finding> {
  const found = await promisify(statfs)(dirname(path)).catch(() => undefined);
  if (found === undefined) {
    return problem("disk", `${dirname(path)} cannot be seen`, "set DATABASE, or make it");
  }
  const fault = diskFault(path);
  if (fault !== undefined) {
    return problem("disk", fault, "make it writable, with room: until then no token is issued");
  }
  const network = await networkUnder(path, readType);
  if (network !== undefined) {
    return warning("disk", `a network file system (${network})`, NETWORK_ADVICE);
  }
  const { bavail, bsize } = found;
  const free = Number(bavail) * Number(bsize);
  const message = `${Math.floor(free / 1024 / 1024)} MiB free`;
  if (free >= LITTLE_SPACE) return ok("disk", message);
  return warning("disk", message, "make room: without it no token is issued");
}
