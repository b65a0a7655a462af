/** `users …` on the command line, as far as it is about what a user has as a client. */

import { type Command, Option } from "commander";
import { ALGORITHM_NAMES } from "../keys/algorithms.ts";
import { durationOption, example, readInput, takingAnyKid } from "./arguments.ts";
import { addClientKey, removeClientKey } from "./client_keys.ts";
import { setClient } from "./client_set.ts";
import { showClient } from "./client_show.ts";
import type { UsersContext } from "./users.ts";

/** Runs `run` on the accounts of the database that is configured. */
type WithUsers = (run: (users: UsersContext) => Promise<void>) => Promise<void>;

/** Adds the commands on clients to those on users. */
export function addClientCommands(users: Command, withUsers: WithUsers): void {
  users.command("show")
    .description("a user with its policy and its credentials")
    .argument("<name>", "the username")
    .option("--json", "print JSON")
    .addHelpText("after", example("jwks-server users show reporting"))
    .action((username, options) => withUsers((users) => showClient(users, username, options)));
  addSet(users, withUsers);
  users.command("add-key")
    .description("a public key, JWK or PEM, with which a user may authenticate")
    .argument("<name>", "the username")
    .argument("<file>", "the public key")
    .option("--kid <kid>", "its kid, in place of what the file says or of its thumbprint")
    .addOption(new Option("--alg <alg>", "its algorithm").choices(ALGORITHM_NAMES))
    .addHelpText("after", example("jwks-server users add-key reporting public.pem --kid 2026-11"))
    .action(async (username, file, options) => {
      const text = await readInput(file);
      await withUsers((users) => addClientKey(users, username, text, options));
    });
  takingAnyKid(users.command("remove-key"))
    .description("a user may not authenticate with a key any more")
    .argument("<name>", "the username")
    .argument("<kid>", "the key, as users show shows it")
    .addHelpText("after", example("jwks-server users remove-key reporting 2026-11"))
    .action((username, kid) => withUsers((users) => removeClientKey(users, username, kid)));
}

function addSet(users: Command, withUsers: WithUsers): void {
  users.command("set")
    .description("change the policy of a user; an empty value clears what it is for")
    .argument("<name>", "the username")
    .option(
      "--scope <scope>",
      "a scope that it may have; repeatable, replaces the whole list",
      collect,
    )
    .option(
      "--audience <audience>",
      "an audience, the default one first; repeatable, replaces the whole list",
      collect,
    )
    .option(
      "--claim <name=value>",
      "a claim of its tokens, JSON or text; repeatable, leaves other claims",
      collect,
    )
    .addOption(clearable(durationOption("--token-ttl <duration>", "the life of its tokens")))
    .option("--require-dpop", "its tokens must be bound to a key (RFC 9449)")
    .option("--no-require-dpop", "they need not")
    .option("--note <text>", "what an operator wants to remember")
    .addHelpText(
      "after",
      example("jwks-server users set reporting --scope read --scope write --token-ttl 10m"),
    )
    .action((username, options) => withUsers((users) => setClient(users, username, options)));
}

/** Gathers the values of an option that may be repeated. */
function collect(value: string, others: readonly string[] = []): readonly string[] {
  return [...others, value];
}

/** The option, whose value may also be empty: that is 0, which no duration is. */
function clearable(option: Option): Option {
  const parse = option.parseArg!;
  return option.argParser<unknown>((text, before) => text === "" ? 0 : parse(text, before));
}
