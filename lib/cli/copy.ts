/** `copy`: everything into another database, on whatever engine. */

import type { Command } from "commander";
import { DomainError } from "../base/errors.ts";
import { parseLocation } from "../server/config.ts";
import { secretSourceOf } from "../server/open.ts";
import { readCertificates } from "../server/pem_file.ts";
import { tablesAt } from "../server/table_access.ts";
import { readValueFile } from "../server/url_file.ts";
import { type Copied, copyTables } from "../storage/copy.ts";
import { type DatabaseLocation, describeLocation, isSameLocation } from "../storage/location.ts";
import { example, notes } from "./arguments.ts";
import { type CommandContext, configOf } from "./context.ts";
import { howToEmpty, nextSteps } from "./copy_steps.ts";
import type { Output } from "./output.ts";
import { Table } from "./table.ts";

export function addCopy(program: Command, context: CommandContext): void {
  program.command("copy")
    .description("copy everything into an empty database, in a file or on a PostgreSQL server")
    .option("--to <database>", "the target, as DATABASE would name it")
    .option("--to-file <file>", "a file that holds it, for a URL with a password")
    .option("--to-ca-file <file>", "certificates, as PEM, by which the target's server is known")
    .addHelpText(
      "after",
      notes(
        "What is copied is the database of DATABASE, or DATABASE_FILE, which is only",
        "read. Stop its servers before: what they write meanwhile is not in the copy.",
        "The target is made, or holds no rows; what was written to it is read again,",
        "and compared.",
        "On a PostgreSQL server the target is a database that is there (createdb",
        "--encoding=UTF8 --template=template0 <name>), and the role of its URL owns it.",
        "The way back is the same.",
      ),
    )
    .addHelpText(
      "after",
      example(
        "jwks-server copy --to-file /etc/jwks/database-url",
        "DATABASE_FILE=/etc/jwks/database-url jwks-server copy --to keys.db",
      ),
    )
    .action((options) => copy(context, options));
}

interface CopyOptions {
  to?: string;
  toFile?: string;
  toCaFile?: string;
}

async function copy(context: CommandContext, options: CopyOptions): Promise<void> {
  Deno.umask(0o077);
  const { output } = context;
  const config = configOf(context);
  const target = targetOf(options);
  assertDifferent(config.database, target);
  if (hasPassword(options)) {
    output.log.warn("every user of this machine may see the password in an argument", {
      hint: "put the URL into a file, and name that by --to-file",
    });
  }
  const ca = await caIn("DATABASE_CA_FILE", config.databaseCaFile);
  const { read } = await tablesAt(config.database, { ca });
  const { write } = await tablesAt(target, {
    ca: await caIn("--to-ca-file", options.toCaFile),
    settings: { url: options.to === undefined ? "--to-file" : "--to", ca: "--to-ca-file" },
  });
  await read(() => Promise.resolve()); // before anything is made of the target
  const copied = await copyTables(read, write, {
    onProgress: (what, done, total) => output.progress.count(`${what} rows`, done, total),
    howToEmpty: howToEmpty(target, options.toCaFile),
  });
  tell(copied, output);
  const [from, to] = [config.database, target].map(describeLocation);
  output.print(`All of ${from} is in ${to}, and was read again: it is the same`);
  const steps = await nextSteps({
    target,
    database: variableOf(options, target),
    caFile: options.toCaFile,
    source: secretSourceOf(config),
  });
  for (const line of steps) output.print(line);
}

async function caIn(name: string, file: string | undefined): Promise<string | undefined> {
  return file === undefined ? undefined : await readCertificates(name, file);
}

/** The variable that names the target to a server; a URL with a password belongs into a file. */
function variableOf(options: CopyOptions, target: DatabaseLocation): string {
  if (options.toFile !== undefined) return `DATABASE_FILE=${options.toFile}`;
  if (hasPassword(options)) {
    return `DATABASE_FILE naming a file with the URL of ${describeLocation(target)}`;
  }
  return `DATABASE=${options.to}`;
}

/** @throws {DomainError} `usage`, without any URL. */
function targetOf({ to, toFile }: CopyOptions): DatabaseLocation {
  if ((to === undefined) === (toFile === undefined)) {
    throw new DomainError("usage", "The target is named by one of --to and --to-file", {
      hints: ["jwks-server copy --help shows how"],
    });
  }
  if (to !== undefined) return parseLocation("--to", to);
  return parseLocation(`the value in the file of --to-file`, readTarget(toFile!));
}

function readTarget(file: string): string {
  try {
    return readValueFile(file);
  } catch (cause) {
    const reason = (cause as Error).message;
    throw new DomainError("usage", `The file ${file} of --to-file ${reason}`, { cause });
  }
}

/** What is refused in any case, as a target that is not empty, is named for what it is. */
function assertDifferent(source: DatabaseLocation, target: DatabaseLocation): void {
  if (!isSameLocation(source, target)) return;
  throw new DomainError("usage", `The source and the target are both ${describeLocation(target)}`, {
    hints: ["DATABASE is what is copied; --to, or --to-file, names another database"],
  });
}

function hasPassword({ to }: CopyOptions): boolean {
  return to !== undefined && URL.canParse(to) && new URL(to).password !== "";
}

function tell({ tables, left, isServed }: Copied, output: Output): void {
  const table = new Table<Copied["tables"][number]>({
    TABLE: ({ name }) => name,
    ROWS: ({ rows }) => String(rows),
    "SHA-256": ({ digest }) => digest,
  });
  const lines = table.lines(tables);
  output.printLines([table.head, ...lines]);
  if (left.length > 0) {
    output.log.warn("what others have added to the database is not in the copy", {
      left: left.join(", "),
    });
  }
  if (isServed) {
    output.log.warn("a server works on the source, or came to no clean end", {
      hint: "what it has written since is not in the copy: stop it first, and copy again",
    });
  }
}
