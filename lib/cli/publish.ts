/** `keys publish`: what anybody may read of the server, as files for a web server or a bucket. */

import { dirname, join } from "node:path";
import { isoTime, numericDate } from "../base/clock.ts";
import { DISK } from "../base/disk.ts";
import { formatDuration } from "../base/duration.ts";
import { DomainError } from "../base/errors.ts";
import type { Log } from "../base/log.ts";
import { ensureDirectory, isBlocked, obstacleAt, replaceFile } from "../base/replaced_file.ts";
import { type StaticFile, staticFiles } from "../http/static_copy.ts";
import { KeyRing } from "../keys/key_ring.ts";
import { type CopyLife, lifeOfCopy } from "../rotation/copy_life.ts";
import type { RotationPolicy } from "../rotation/policy.ts";
import { defaultIssuer } from "../server/address.ts";
import type { Config } from "../server/config.ts";
import type { KeysContext } from "./keys.ts";
import { formatTime } from "./output.ts";

/**
 * Writes the JWK set and the metadata below `directory`, and says for how long that is enough.
 *
 * @throws {DomainError} `usage` for a directory without a name, as of a variable that is not set;
 * `failed` when something cannot be written, or when the copy, although it was written, does not
 * last from now on: no key waits in it that would sign next.
 */
export async function publishKeys(
  { database, config, output }: KeysContext,
  directory: string,
  options: { json?: boolean },
): Promise<void> {
  if (directory === "") throw new DomainError("usage", "The directory has no name");
  const issuer = issuerOf(config, output.log);
  const ring = await KeyRing.load(database);
  const now = numericDate(database.clock());
  const set = ring.published();
  if (set === undefined) {
    throw new DomainError("failed", "There is no key to publish", {
      hints: ["start the server, or run jwks-server init: both make the first keys"],
    });
  }
  const { alg } = ring.policy;
  const files = staticFiles(set.text, { issuer, jwksUri: config.jwksUri, alg });
  const copy: Copy = {
    files: files.map(({ path }) => join(directory, path)),
    written: await writeAll(directory, files),
    life: lifeOfCopy(ring.keys, now, ring.policy),
  };
  if (options.json) output.printJson(toJson(copy), 2);
  else output.printLines(describe(copy, now, ring.policy));
  if (copy.life.until > now) return;
  const moment = formatTime(copy.life.completeUntil);
  throw new DomainError(
    "failed",
    `The copy is written, but a key that it lacks may sign from ${moment}`,
    { hints: ["see that a server runs, which makes the next key, and publish again"] },
  );
}

/** What there is now: all files, and those of them that were not the same already. */
interface Copy {
  files: readonly string[];
  written: readonly string[];
  life: CopyLife;
}

function toJson({ files, written, life: { until, completeUntil } }: Copy) {
  return { until: isoTime(until), complete_until: isoTime(completeUntil), files, written };
}

function describe(
  { files, written, life: { until, completeUntil } }: Copy,
  now: number,
  { prepublish }: RotationPolicy,
): string[] {
  const lines = files.map((file) =>
    `${written.includes(file) ? "written  " : "unchanged"}  ${file}`
  );
  if (until <= now) return lines;
  return [
    ...lines,
    `The copy has every key that may sign before ${formatTime(completeUntil)}`,
    `Publish again by ${formatTime(until)}: then verifiers know each key for ` +
    `${formatDuration(prepublish)} before it signs`,
    "Publish again at once after keys rotate, revoke or import: they change what is planned",
  ];
}

/** What the server calls itself. */
function issuerOf(config: Config, log: Log): string {
  if (config.issuer !== undefined) return config.issuer;
  if (config.issuerFromRequest) {
    throw new DomainError("configuration", "ISSUER is from-request, and files answer no request", {
      hints: ["set ISSUER to the one URL by which the readers of these files know the server"],
    });
  }
  const hints = ["set ISSUER as it is set for the server"];
  if (config.port === 0) {
    throw new DomainError("configuration", "ISSUER is not set, and PORT=0 tells nothing of it", {
      hints,
    });
  }
  const issuer = defaultIssuer(config, config.port);
  log.warn("ISSUER is not set: the metadata names a server on the reader's own machine", {
    issuer,
  });
  return issuer;
}

/** Writes the files in their order, and gives the names of those that were not the same already. */
async function writeAll(directory: string, files: readonly StaticFile[]): Promise<string[]> {
  for (const { path } of files) { // before anything is written
    await attempt(join(directory, path), () => assertFree(directory, path));
  }
  const written: string[] = [];
  for (const { path, text } of files) {
    const file = join(directory, path);
    await attempt(file, async () => {
      await ensureDirectory(DISK, dirname(file));
      if (await replaceFile(DISK, file, text)) written.push(file);
    });
  }
  return written;
}

/** @throws {DomainError} `failed` when something else stands where a directory or the file must. */
function assertFree(directory: string, path: string): void {
  const names = path.split("/");
  for (let depth = 0; depth < names.length; depth++) {
    const place = join(directory, ...names.slice(0, depth));
    if (isBlocked(place)) throw unwritable(place, "it is no directory");
  }
  const file = join(directory, path);
  const obstacle = obstacleAt(file);
  if (obstacle !== undefined) throw unwritable(file, `it is ${obstacle}`);
}

async function attempt(file: string, work: () => void | Promise<void>): Promise<void> {
  try {
    await work();
  } catch (error) {
    if (error instanceof DomainError) throw error;
    throw unwritable(file, error instanceof Error ? error.message : String(error), error);
  }
}

function unwritable(path: string, reason: string, cause?: unknown): DomainError {
  return new DomainError("failed", `${path} cannot be written: ${reason}`, {
    cause,
    hints: ["name a directory that this user may write, and take away what stands in the way"],
  });
}
