/** `users set`: the policy of a client. */

import { ClientPolicy } from "../accounts/client_policy.ts";
import { formatDuration } from "../base/duration.ts";
import { DomainError } from "../base/errors.ts";
import { printPolicy } from "./client_show.ts";
import { longestTokenLife } from "./context.ts";
import { accountsOf, type UsersContext } from "./users.ts";

/** What is to be changed; what is not there stays as it is. */
export interface PolicyOptions {
  scope?: readonly string[];
  audience?: readonly string[];
  /** Each `name=value`; without a value, the claim is removed. */
  claim?: readonly string[];
  /** In seconds; 0 for the server's. */
  tokenTtl?: number;
  requireDpop?: boolean;
  note?: string;
}

/** The option that each member of a policy is set by. */
const OPTIONS: Readonly<Record<string, string>> = {
  scopes: "--scope",
  audiences: "--audience",
  claims: "--claim",
  tokenTtl: "--token-ttl",
  note: "--note",
};

/**
 * Changes the policy of a client and prints it.
 *
 * @throws {DomainError} `not_found`; `usage` that names every problem, with nothing stored.
 */
export async function setClient(
  context: UsersContext,
  username: string,
  options: PolicyOptions,
): Promise<void> {
  if (Object.keys(options).length === 0) {
    throw new DomainError("usage", "Nothing is named that is to be set", {
      hints: ["jwks-server users set --help shows what can be"],
    });
  }
  const problems = await problemsOfLife(context, options.tokenTtl);
  const { log } = context.output;
  const changed = await accountsOf(context).changePolicy(username, (before) => {
    if (before === undefined) {
      log.warn("what was stored is no policy: what is not named now is as for a new user");
    }
    return changedPolicy(before ?? ClientPolicy.parse({}), options, [...problems]);
  });
  context.output.print(`The policy of the user ${username} is now:`);
  printPolicy(context.output, changed);
}

/** @throws {DomainError} `usage` that names every problem, with those that are known already. */
function changedPolicy(
  before: ClientPolicy,
  options: PolicyOptions,
  problems: string[],
): ClientPolicy {
  const changed = change(before, options, problems);
  const { data, error } = ClientPolicy.safeParse(changed);
  for (const { path, message } of error?.issues ?? []) {
    problems.push(`${nameValue(changed, path)}: ${message}`);
  }
  if (data === undefined || problems.length > 0) throw refusal(problems);
  return data;
}

/** The policy to be, not yet validated. What is wrong with single claims is added to `problems`. */
function change(before: ClientPolicy, options: PolicyOptions, problems: string[]): ClientPolicy {
  const { scope, audience, claim = [], tokenTtl, requireDpop, note } = options;
  return {
    scopes: scope ? listOf(scope) : before.scopes,
    audiences: audience ? listOf(audience) : before.audiences,
    claims: changeClaims(before.claims, claim, problems),
    tokenTtl: tokenTtl === undefined ? before.tokenTtl : tokenTtl || undefined,
    requireDpop: requireDpop ?? before.requireDpop,
    note: note === undefined ? before.note : note || undefined,
  };
}

/** Each value once; an empty one only says that there are no others. */
function listOf(values: readonly string[]): string[] {
  return [...new Set(values)].filter((value) => value !== "");
}

type Claims = ClientPolicy["claims"];

/** An empty text removes all claims before it. */
function changeClaims(before: Claims, texts: readonly string[], problems: string[]): Claims {
  const claims = new Map(Object.entries(before));
  for (const text of texts) {
    if (text === "") {
      claims.clear();
      continue;
    }
    const [, name, value] = /^([^=]+)=(.*)$/s.exec(text) ?? [];
    if (name === undefined || value === undefined) {
      problems.push(`--claim ${JSON.stringify(text)}: allowed is name=value`);
    } else if (name === "__proto__") {
      problems.push(`--claim ${name}: this name cannot be a claim's`); // the schema would drop it
    } else if (value === "") claims.delete(name);
    else claims.set(name, parseClaim(name, value, problems));
  }
  return Object.fromEntries(claims);
}

/** The value as JSON if it is that, else as text. */
function parseClaim(name: string, text: string, problems: string[]): Claims[string] {
  let value: Claims[string];
  try {
    value = JSON.parse(text);
  } catch {
    return text;
  }
  if (Number.isInteger(value) && !Number.isSafeInteger(value)) {
    problems.push(
      `--claim ${name}: the number is too large to be exact; as text it is '${name}="${text}"'`,
    );
  }
  return value;
}

async function problemsOfLife(
  { storage, config }: UsersContext,
  tokenTtl: number | undefined,
): Promise<string[]> {
  if (tokenTtl === undefined) return [];
  const most = await longestTokenLife(storage, config);
  if (tokenTtl <= most) return [];
  return [
    `--token-ttl is ${formatDuration(tokenTtl)}; allowed is at most ${formatDuration(most)}, ` +
    "the TOKEN_TTL of the server",
  ];
}

/** The option and the value that a path within the policy leads to. */
function nameValue(policy: ClientPolicy, [member, key]: readonly PropertyKey[]): string {
  const option = OPTIONS[String(member)] ?? String(member);
  if (member === "claims") return key === undefined ? option : `${option} ${String(key)}`;
  const value = member === "scopes" || member === "audiences" ? policy[member][Number(key)] : null;
  return value ? `${option} ${JSON.stringify(value)}` : option;
}

function refusal(problems: readonly string[]): DomainError {
  const count = problems.length === 1 ? "a problem" : `${problems.length} problems`;
  return new DomainError("usage", `The policy would have ${count}; nothing is changed`, {
    hints: problems,
  });
}
