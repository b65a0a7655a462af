/** How much memory a process uses. */

/** KiB in a MiB. */
export const MIB = 1024;

/**
 * Memory in KiB: `VmRSS` is what a process uses now, `VmHWM` the most that it ever used. Deno itself
 * reads nothing of /proc short of --allow-all.
 */
export async function memory(pid: number, name: "VmRSS" | "VmHWM"): Promise<number> {
  const { stdout } = await new Deno.Command("cat", { args: [`/proc/${pid}/status`] }).output();
  const status = new TextDecoder().decode(stdout);
  return Number(new RegExp(`^${name}:\\s+(\\d+) kB$`, "m").exec(status)![1]);
}
