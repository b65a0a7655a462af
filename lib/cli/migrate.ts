/** `migrate`: the database's schema brought up to date, by itself. */

import type { Command } from "commander";
import { migrateDatabase } from "../server/migrate.ts";
import { describeLocation } from "../storage/location.ts";
import { example, notes } from "./arguments.ts";
import { type CommandContext, configOf } from "./context.ts";

export function addMigrate(program: Command, context: CommandContext): void {
  program.command("migrate")
    .description("bring the database's tables up to date; it needs no secret")
    .addHelpText(
      "after",
      notes(
        "A server does this when it starts, unless MIGRATE is off: then run this before",
        "a new release, as the role that owns the tables. Another role of the servers",
        "is given its rights by that one:",
        "  GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public",
        "    TO <role>;",
        "and those on the tables of later releases, once:",
        "  ALTER DEFAULT PRIVILEGES IN SCHEMA public",
        "    GRANT SELECT, INSERT, UPDATE, DELETE ON TABLES TO <role>;",
        "The versions of a schema in PostgreSQL and in a file are counted apart.",
      ),
    )
    .addHelpText("after", example("DATABASE=postgres://owner@db.example/jwks jwks-server migrate"))
    .action(() => migrate(context));
}

async function migrate(context: CommandContext): Promise<void> {
  Deno.umask(0o077);
  const { output } = context;
  const config = configOf(context);
  const { from, to } = await migrateDatabase(config, output.log);
  const name = `The database ${describeLocation(config.database)}`;
  if (from === to) output.print(`${name} has schema version ${to}: nothing is changed`);
  else if (from === 0) output.print(`${name} has its tables now: schema version ${to}`);
  else output.print(`${name} is brought from schema version ${from} to ${to}`);
}
