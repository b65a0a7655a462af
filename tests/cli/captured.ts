/** What is written to the standard streams of this process. */

export interface Written {
  stdout: string;
  stderr: string;
}

/** Runs `body` and gives what it wrote, in the place of writing it. */
export async function capture(body: () => Promise<void>): Promise<Written> {
  const stdout: number[] = [];
  const stderr: number[] = [];
  const into = (bytes: number[]) => (written: Uint8Array) => {
    bytes.push(...written);
    return written.length;
  };
  const before = [Deno.stdout.writeSync, Deno.stderr.writeSync] as const;
  [Deno.stdout.writeSync, Deno.stderr.writeSync] = [into(stdout), into(stderr)];
  try {
    await body();
  } finally {
    [Deno.stdout.writeSync, Deno.stderr.writeSync] = before;
  }
  const text = (bytes: number[]) => new TextDecoder().decode(Uint8Array.from(bytes));
  return { stdout: text(stdout), stderr: text(stderr) };
}
