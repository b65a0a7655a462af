/** Tests that not every machine can run. */

/** Whether a command works here; when not, says that what needs it is skipped. */
export async function works([command, ...args]: readonly string[], what: string): Promise<boolean> {
  const options = { args, stdin: "null", stdout: "null", stderr: "null" } as const;
  const outcome = await new Deno.Command(command!, options).output().catch(() => undefined);
  if (outcome?.success) return true;
  const line = `skipped: ${what}, which needs ${[command, ...args].join(" ")}\n`;
  await Deno.stderr.write(new TextEncoder().encode(line));
  return false;
}
