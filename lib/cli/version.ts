/** What `--version` prints. */

import { DatabaseSync } from "node:sqlite";
import project from "../../deno.json" with { type: "json" };

/** The versions of this program and of what it runs on. */
export function describeVersion(): string {
  const database = new DatabaseSync(":memory:");
  const row = database.prepare("SELECT sqlite_version() AS version").get();
  database.close();
  const { deno, v8 } = Deno.version;
  return `jwks-server ${project.version} (Deno ${deno}, V8 ${v8}, SQLite ${row?.version})`;
}
