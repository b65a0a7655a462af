/** A small disk of a server's own, in a namespace that ends with it, and ways to spoil it. */

import assert from "node:assert/strict";
import type { Server } from "./harness.ts";
import { works } from "./skip.ts";

const MOUNTS = ["unshare", "--mount", "--propagation", "private"];
export const canMount = await works(
  [...MOUNTS, "true"],
  "what happens on disks that cannot be written",
);

/** How the disk is spoilt, how that is undone, and what the log calls it. */
export const FAULTS = {
  "read-only": ["mount -o remount,ro disk", "mount -o remount,rw disk"],
  "full": ["cat /dev/zero > disk/filler 2> /dev/null || true", "rm disk/filler"],
} as const;

/** Starts the server in a directory whose `disk` is a small one of its own, with the files in it. */
export function wrapper(spoil: string): string[] {
  const script = "mount -t tmpfs -o size=2m,mode=700 none disk && cp -p seed/* disk/ && " +
    `{ ${spoil}; } && exec "$@"`;
  return [...MOUNTS, "sh", "-c", script, "sh"];
}

/** Runs a shell command where the server sees its disk. */
export async function inside(server: Server, script: string): Promise<void> {
  const { path } = server.directory;
  const { success, stderr } = await new Deno.Command("nsenter", {
    args: ["--target", String(server.pid), "--mount", "sh", "-c", `cd ${path} && ${script}`],
  }).output();
  assert.ok(success, new TextDecoder().decode(stderr));
}
