/** What anybody may read of this server, as files below the root of a web server or a bucket. */

import { DomainError } from "../base/errors.ts";
import { printable } from "../base/text.ts";
import { issuerPath, type MetadataOptions, metadataPaths, prepareMetadata } from "./metadata.ts";

/** A file, by its path below the root. */
export interface StaticFile {
  path: string;
  text: string;
}

/**
 * The JWK set, and the metadata that name it: in this order, so that who reads what is there by then
 * is led to nothing that is not.
 *
 * @param set the text of the JWK set.
 * @throws {DomainError} `configuration` when a file cannot have the path of a URL.
 */
export function staticFiles(set: string, options: MetadataOptions): StaticFile[] {
  const { issuer, jwksUri } = options;
  const metadata = new TextDecoder().decode(prepareMetadata(options).body);
  const sets = new Set([`${issuerPath(issuer)}/.well-known/jwks.json`]);
  if (jwksUri !== undefined) sets.add(new URL(jwksUri).pathname);
  const files = [
    ...[...sets].map((path) => ({ path: filePath(path), text: set })),
    ...metadataPaths(issuer).map((path) => ({ path: filePath(path), text: metadata })),
  ];
  const paths = files.map(({ path }) => path);
  const taken = paths.find((path, index) => {
    return paths.some((other, place) => place !== index && `${other}/`.startsWith(`${path}/`));
  });
  if (taken === undefined) return files;
  const message = `Two files cannot stand at one path, or below each other: /${taken}`;
  throw new DomainError("configuration", message, {
    hints: ["set JWKS_URI to a URL with another path than that of the metadata"],
  });
}

/** A path of a URL as that of a file, with the characters that it stands for. */
function filePath(path: string): string {
  const segments = path.split("/").slice(1).map(decode);
  if (segments.every((segment) => segment !== undefined && isFileName(segment))) {
    return segments.join("/");
  }
  throw new DomainError("configuration", `No file can stand at the path ${path}`, {
    hints: ["set ISSUER and JWKS_URI to URLs whose paths consist of names"],
  });
}

function decode(segment: string): string | undefined {
  try {
    return decodeURIComponent(segment);
  } catch {
    return undefined;
  }
}

/** Nothing that leads elsewhere: an encoded slash is none of the path's own. */
function isFileName(text: string): boolean {
  return text !== "" && text !== "." && text !== ".." && !/[/\\]/.test(text) &&
    printable(text) === text;
}
