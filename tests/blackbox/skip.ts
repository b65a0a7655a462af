/** Tests that not every machine can run. */

/** Whether a command works here; when not, says that what needs it is skipped. */
export async function works([command, ...args]: readonly string[], what: string): Promise<boolean> {
  const options = { args, stdin: "null", stdout: "null", stderr: "null" } as const;
  try {
    if ((await new Deno.Command(command!, options).output()).success) return true;
  } catch {
    // It cannot be started, which is as good as not there.
  }
  await say(what, [command, ...args].join(" "));
  return false;
}

/** Says that something is skipped because of what is not there. */
export async function say(what: string, lacking: string): Promise<void> {
  const line = `skipped: ${what}, which needs ${lacking}\n`;
  await Deno.stderr.write(new TextEncoder().encode(line));
}
