/** The certificates by which another server is known, where a variable names their file. */

import { decodeUtf8 } from "../base/bytes.ts";
import { irregularity, readFileAtMost } from "../base/disk.ts";
import { DomainError } from "../base/errors.ts";

/** The longest such file, in bytes: all that a system trusts are a quarter of it. */
const LONGEST = 1_000_000;

/**
 * The certificates in `file`, as PEM.
 *
 * @param variable what names the file.
 * @throws {DomainError} `configuration` when it cannot be read, or holds none.
 */
export async function readCaFile(variable: string, file: string): Promise<string> {
  const text = await readText(variable, file);
  if (text.includes("-----BEGIN CERTIFICATE-----")) return text;
  throw refused(variable, file, "holds no certificate");
}

async function readText(variable: string, file: string): Promise<string> {
  try {
    const kind = irregularity(file);
    if (kind !== undefined) throw refused(variable, file, `is ${kind}`);
    const bytes = await readFileAtMost(LONGEST, file);
    if (bytes !== undefined) return decodeUtf8(bytes);
  } catch (error) {
    throw error instanceof DomainError ? error : refused(variable, file, "cannot be read", error);
  }
  throw refused(variable, file, `has more than ${LONGEST} bytes`);
}

function refused(variable: string, file: string, reason: string, cause?: unknown): DomainError {
  return new DomainError("configuration", `The file ${file} of ${variable} ${reason}`, {
    cause,
    hints: [`set ${variable} to a file of certificates in PEM that this user may read`],
  });
}
