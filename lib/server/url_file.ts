/** Files that hold a URL with a password, which so stands in no environment. */

import { decodeUtf8 } from "../base/bytes.ts";
import { irregularity } from "../base/disk.ts";

/** The longest file that is read, in bytes. */
const LONGEST_FILE = 8192;

/** What a file holds, or what is wrong with it, in words that follow its name. */
export type UrlFile = { text: string } | { problem: string };

/** Reads the one line of a file; a pipe would be waited for. */
export function readUrlFile(path: string): UrlFile {
  try {
    const kind = irregularity(path);
    if (kind !== undefined) return { problem: `is ${kind}` };
    const { size } = Deno.statSync(path);
    if (size > LONGEST_FILE) return { problem: `has more than ${LONGEST_FILE} bytes` };
    const text = decodeUtf8(Deno.readFileSync(path)).replace(/[\r\n]+$/, "");
    return text === "" ? { problem: "is empty" } : { text };
  } catch (error) {
    const isMissing = error instanceof Deno.errors.NotFound;
    return { problem: isMissing ? "does not exist" : "cannot be read as text" };
  }
}
