/** `init`: database, secret and first keys, for images and scripts. */

import type { Command } from "commander";
import { numericDate } from "../base/clock.ts";
import { nextKey } from "../rotation/operations.ts";
import { activeKey } from "../rotation/policy.ts";
import type { Config } from "../server/config.ts";
import { initialise, type Initialised } from "../server/init.ts";
import { describeLocation } from "../storage/location.ts";
import { example } from "./arguments.ts";
import { type CommandContext, configOf } from "./context.ts";
import { formatTime } from "./output.ts";

export function addInit(program: Command, context: CommandContext): void {
  program.command("init")
    .description("make the database, its secret and the first keys, and do not serve")
    .addHelpText("after", example("DATABASE=/var/lib/jwks/keys.db jwks-server init"))
    .action(() => init(context));
}

async function init(context: CommandContext): Promise<void> {
  Deno.umask(0o077);
  const { output } = context;
  const config = configOf(context);
  const initialised = await initialise(config, output.log);
  await initialised.database.storage.close();
  for (const line of describe(initialised, config)) output.print(line);
}

function describe({ database, ring, isMade }: Initialised, config: Config): string[] {
  const { file } = database.secret;
  const name = describeLocation(config.database);
  const secret = file === undefined ? "NOT_MY_KEY" : `the secret in ${file}`;
  const now = numericDate(database.clock());
  const [signer, next] = [activeKey(ring.keys, now), nextKey(ring.keys, now)];
  return [
    isMade
      ? `The database ${name} is made, with keys that ${secret} opens: back up both`
      : `The database ${name} was there already, and ${secret} opens it: nothing is changed`,
    signer === undefined
      ? "No key signs now: the server sees to that when it starts"
      : `Key ${signer.kid} (${signer.alg}) signs until ${formatTime(signer.signUntil)}`,
    next === undefined
      ? "No key is next: the server makes it"
      : `Key ${next.kid} (${next.alg}) is published, and signs from ${formatTime(next.signFrom)}`,
    ...isMade && config.clientsFile !== undefined
      ? [`The clients of ${config.clientsFile} are applied by the server, whenever it starts`]
      : [],
  ];
}
