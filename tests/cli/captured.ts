/** What is written to the standard streams of this process. */

export interface Written {
  stdout: string;
  stderr: string;
}

/** Runs `body` and gives what it wrote, in the place of writing it. */
export async function capture(body: () => Promise<void>): Promise<Written> {
  const stdout: Uint8Array<ArrayBuffer>[] = [];
  const stderr: Uint8Array<ArrayBuffer>[] = [];
  const into = (pieces: Uint8Array[]) => (bytes: Uint8Array) => {
    pieces.push(bytes.slice());
    return bytes.length;
  };
  const before = [Deno.stdout.writeSync, Deno.stderr.writeSync] as const;
  [Deno.stdout.writeSync, Deno.stderr.writeSync] = [into(stdout), into(stderr)];
  try {
    await body();
  } finally {
    [Deno.stdout.writeSync, Deno.stderr.writeSync] = before;
  }
  return { stdout: await new Blob(stdout).text(), stderr: await new Blob(stderr).text() };
}
