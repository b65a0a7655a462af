/** Files in PEM that a variable names. */

import { X509Certificate } from "node:crypto";
import { decodeUtf8 } from "../base/bytes.ts";
import { irregularity, readFileAtMost } from "../base/disk.ts";
import { DomainError, isDomainError } from "../base/errors.ts";

/** The longest file that is read, in bytes: far more than any chain has. */
const LONGEST_FILE = 262_144;

/**
 * The text of a file.
 *
 * @throws {DomainError} `configuration`, by the variable's name, when it cannot be read.
 */
export async function readPem(variable: string, file: string): Promise<string> {
  const named = `The file ${file} of ${variable}`;
  try {
    const kind = irregularity(file);
    if (kind !== undefined) {
      throw unusable(`${named} is ${kind}`, `set ${variable} to a regular file in PEM`);
    }
    const bytes = await readFileAtMost(LONGEST_FILE, file);
    if (bytes !== undefined) return decodeUtf8(bytes);
  } catch (error) {
    if (isDomainError(error)) throw error;
    const isMissing = error instanceof Deno.errors.NotFound;
    throw unusable(
      isMissing ? `${named} does not exist` : `${named} cannot be read as text`,
      `set ${variable} to a file in PEM that this user may read`,
    );
  }
  throw unusable(
    `${named} has more than ${LONGEST_FILE} bytes`,
    `set ${variable} to a file that holds nothing else`,
  );
}

/** The certificates in a file, by which another server is known. @throws as `readPem` does. */
export async function readCertificates(variable: string, file: string): Promise<string> {
  const text = await readPem(variable, file);
  try {
    new X509Certificate(text);
    return text;
  } catch {
    throw unusable(
      `The file ${file} of ${variable} does not begin with a certificate in PEM`,
      "it must hold the certificate of the authority that signed the server's, or that itself",
    );
  }
}

/** A file that cannot be used as the variable says. */
export function unusable(message: string, hint: string): DomainError {
  return new DomainError("configuration", message, { hints: [hint] });
}
