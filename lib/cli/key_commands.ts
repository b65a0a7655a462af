/** `keys …` on the command line. */

import { type Command, Option } from "commander";
import { ALGORITHM_NAMES } from "../keys/algorithms.ts";
import { durationOption, example, readInput, takingAnyKid } from "./arguments.ts";
import { type CommandContext, withDatabase } from "./context.ts";
import {
  exportKey,
  importKey,
  type KeysContext,
  listKeys,
  planKeys,
  revokeKey,
  rotateKeys,
} from "./keys.ts";
import { publishKeys } from "./publish.ts";

/** Adds the commands on keys. */
export function addKeyCommands(program: Command, context: CommandContext): void {
  const withKeys = (run: (keys: KeysContext) => Promise<void>) =>
    withDatabase(context, (database, config) => run({ database, config, output: context.output }));
  const keys = program.command("keys").description("the signing keys");
  keys.command("list")
    .description("kid, algorithm, state and times of every key; * marks the signer")
    .option("--json", "print JSON")
    .addHelpText("after", example("jwks-server keys list --json"))
    .action((options) => withKeys((keys) => listKeys(keys, options)));
  keys.command("plan")
    .description("what will happen to the keys, and what revoking the signer would cost")
    .addOption(durationOption("--until <duration>", "how far to look", "90d"))
    .option("--json", "print JSON")
    .addHelpText("after", example("jwks-server keys plan --until 1y"))
    .action((options) => withKeys((keys) => planKeys(keys, options)));
  keys.command("rotate")
    .description("the next key signs from now on")
    .option("--force", "also when verifiers may not know it yet")
    .addHelpText("after", example("jwks-server keys rotate"))
    .action((options) => withKeys((keys) => rotateKeys(keys, options)));
  takingAnyKid(keys.command("revoke"))
    .description("a key leaves the JWKS at once and never signs again")
    .argument("<kid>", "the key, as keys list shows it")
    .addHelpText("after", example("jwks-server keys revoke 1795315298743"))
    .action((kid) => withKeys((keys) => revokeKey(keys, kid)));
  takingAnyKid(keys.command("export"))
    .description("print the public half of a key")
    .argument("<kid>", "the key, as keys list shows it")
    .addOption(new Option("--format <format>", "the form").choices(["jwk", "pem"]).default("jwk"))
    .addHelpText("after", example("jwks-server keys export 1795315298743 --format pem"))
    .action((kid, options) => withKeys((keys) => exportKey(keys, kid, options)));
  keys.command("publish")
    .description("write the JWKS and the metadata into a directory, for a web server or a bucket")
    .argument("<directory>", "the root of what is served at the issuer's host")
    .option("--json", "print JSON")
    .addHelpText("after", example("ISSUER=https://id.example jwks-server keys publish /srv/www"))
    .action((directory, options) => withKeys((keys) => publishKeys(keys, directory, options)));
  keys.command("import")
    .description(
      "add a private key of another issuer, PEM or JWK, under the kid its verifiers know",
    )
    .argument("<file>", "the private key")
    .addOption(
      new Option("--as <state>", "passive: it only verifies; next: it signs after the active key")
        .choices(["passive", "next"]).default("passive"),
    )
    .addOption(
      durationOption("--verify-for <duration>", "how long a passive key is published", "30d"),
    )
    .option("--kid <kid>", "the kid that verifiers know, when the file does not say it")
    .addOption(new Option("--alg <alg>", "its algorithm").choices(ALGORITHM_NAMES))
    .addHelpText("after", example("jwks-server keys import old.pem --kid 2024-01 --verify-for 7d"))
    .action(async (file, options) => {
      const text = await readInput(file);
      await withKeys((keys) => importKey(keys, text, options));
    });
}
