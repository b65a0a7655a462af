/** A disk on which nothing can be written, for whoever runs the tests. */

/**
 * Lets no temporary file be made until it is disposed of: that fails as the system does that gives
 * this error code.
 */
export function failDisk(code: string): Disposable & { mend(): void } {
  const { makeTempFileSync } = Deno;
  Deno.makeTempFileSync = () => {
    throw Object.assign(new Error("the system's own words"), { code });
  };
  const mend = () => void (Deno.makeTempFileSync = makeTempFileSync);
  return { mend, [Symbol.dispose]: mend };
}
