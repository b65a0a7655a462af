/** `users show`: a user with all that is kept of it as a client, but for what is secret. */

import { type ClientPolicy, parsePolicy } from "../accounts/client_policy.ts";
import { isNoPassword } from "../accounts/declared/no_password.ts";
import { hashOf } from "../accounts/user_state.ts";
import { isoTime } from "../base/clock.ts";
import { formatDuration } from "../base/duration.ts";
import type { ClientRecord, CredentialRecord } from "../storage/storage.ts";
import { formatTime, type Output, printRows } from "./output.ts";
import { accountsOf, shownUser, type UsersContext } from "./users.ts";

/** A credential as it is shown. Times are in ISO 8601; `null` is never, or not known. */
interface ShownCredential {
  type: CredentialRecord["type"];
  /** `current` is the password in the user's row; of it, no times are known. */
  state: "current" | "replaced" | "valid" | "ended";
  kid: string | null;
  alg: string | null;
  made: string | null;
  valid_until: string | null;
  last_used: string | null;
}

/** Shows a client. @throws {DomainError} `not_found`; `database_unusable` for a damaged policy. */
export async function showClient(
  context: UsersContext,
  username: string,
  options: { json?: boolean },
): Promise<void> {
  const { output } = context;
  const record = await accountsOf(context).findClient(username);
  const { user } = record;
  const policy = parsePolicy(record.policy, user.username);
  const credentials = shownCredentials(record, Date.now());
  const shown = shownUser(user);
  if (options.json) {
    return output.printJson({ ...shown, policy: policyAsJson(policy), credentials }, 2);
  }
  printPairs(output, {
    "id": String(shown.id),
    "username": shown.username,
    "e-mail": shown.email ?? "",
    "state": shown.state,
    "registered": shown.date_registered ?? "unknown",
    "last login": shown.last_login ?? "never",
  });
  printPolicy(output, policy);
  output.print("");
  printCredentials(output, credentials);
}

/** Prints a policy for people. */
export function printPolicy(output: Output, policy: ClientPolicy): void {
  const { scopes, audiences, claims, tokenTtl, requireDpop, note } = policy;
  printPairs(output, {
    "scopes": scopes.join(" ") || "none",
    "audiences": audiences.join(", ") || "the server's",
    "claims": Object.keys(claims).length === 0 ? "none" : JSON.stringify(claims),
    "token life": tokenTtl === undefined ? "the server's" : formatDuration(tokenTtl),
    "DPoP": requireDpop ? "required" : "not required",
    "note": note ?? "none",
  });
}

function policyAsJson({ tokenTtl, requireDpop, note, ...policy }: ClientPolicy) {
  return {
    ...policy,
    token_ttl: tokenTtl ?? null,
    require_dpop: requireDpop,
    note: note ?? null,
  };
}

function printPairs(output: Output, pairs: Readonly<Record<string, string>>): void {
  for (const [name, value] of Object.entries(pairs)) {
    output.print(`${name.padEnd(12)}${value}`.trimEnd());
  }
}

/** The password in the row first, if it is one, then the others in the order in which they were made. */
function shownCredentials({ user, credentials }: ClientRecord, now: number): ShownCredential[] {
  const others = credentials.map((credential) => shownCredential(credential, now));
  if (isNoPassword(hashOf(user))) return others;
  const current: ShownCredential = {
    type: "password",
    state: "current",
    kid: null,
    alg: null,
    made: null,
    valid_until: null,
    last_used: null,
  };
  return [current, ...others];
}

function shownCredential(credential: CredentialRecord, now: number): ShownCredential {
  const { type, kid, value, createdAt, validUntil, lastUsed } = credential;
  const hasEnded = validUntil !== null && validUntil <= now;
  return {
    type,
    state: hasEnded ? "ended" : type === "key" ? "valid" : "replaced",
    kid,
    alg: type === "key" ? algorithmOf(value) : null,
    // A password's record is made when the password is replaced.
    made: type === "key" ? toIso(createdAt) : null,
    valid_until: validUntil === null ? null : toIso(validUntil),
    last_used: lastUsed === null ? null : toIso(lastUsed),
  };
}

/** The algorithm of a key as it is stored; `null` when what is stored is no key. */
function algorithmOf(value: string): string | null {
  try {
    return String(JSON.parse(value).alg);
  } catch {
    return null;
  }
}

function printCredentials(output: Output, credentials: readonly ShownCredential[]): void {
  const short = (time: string) => formatTime(Date.parse(time) / 1000);
  printRows(output, credentials, {
    json: false,
    columns: {
      "CREDENTIAL": (row) => `${row.state} ${row.type}`,
      "KID": (row) => row.kid ?? "",
      "ALG": (row) => row.alg ?? "",
      "MADE": (row) => row.made === null ? "" : short(row.made),
      "VALID UNTIL": (row) => row.valid_until === null ? "" : short(row.valid_until),
      "LAST USED": (row) =>
        row.last_used === null ? row.state === "current" ? "" : "never" : short(row.last_used),
    },
    empty: "", // there always is a password
  });
}

/** A time in milliseconds since the epoch. */
function toIso(milliseconds: number): string {
  return isoTime(milliseconds / 1000);
}
