/** The path of a request. */

/**
 * The path as it is written, so that each route has one spelling: `/%61uth` and `/auth#` are not
 * `/auth`, whatever a proxy in front makes of them.
 */
export function pathOf({ url }: Request): string {
  const start = url.indexOf("/", "https://".length);
  const end = url.indexOf("?", start);
  return end === -1 ? url.slice(start) : url.slice(start, end);
}
