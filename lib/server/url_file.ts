/** Values of variables that stand in a file instead, because they hold a password. */

import { decodeUtf8 } from "../base/bytes.ts";

/** The variable that names the file with a variable's value. */
export const FILES: Readonly<Record<string, string>> = {
  DATABASE: "DATABASE_FILE",
  REDIS_URL: "REDIS_URL_FILE",
};

/** The longest such file, in bytes. */
const LONGEST = 8192;

/**
 * The value in `path`, without its line end.
 *
 * @throws {Error} in words that follow the file's name, when it cannot be read or holds no such value.
 */
export function readValueFile(path: string): string {
  const text = readText(path).replace(/\r?\n$/, "");
  if (text === "") throw new Error("is empty");
  return text;
}

function readText(path: string): string {
  let info: Deno.FileInfo;
  let bytes: Uint8Array;
  try {
    info = Deno.statSync(path);
    if (!info.isFile) throw new Error("is no regular file");
    if (info.size > LONGEST) throw new Error(`has more than ${LONGEST} bytes`);
    bytes = Deno.readFileSync(path);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) throw new Error("does not exist");
    if (error instanceof Deno.errors.PermissionDenied) throw new Error("cannot be read");
    throw error;
  }
  try {
    return decodeUtf8(bytes);
  } catch {
    throw new Error("is not UTF-8");
  }
}
