/** What a declaration changes of one client: decided here, without doing it. */

import { isDeepStrictEqual } from "node:util";
import { formatDuration } from "../../base/duration.ts";
import type {
  ClientRecord,
  ClientUpdate,
  CredentialRecord,
  NewKeyCredential,
} from "../../storage/storage.ts";
import { ClientPolicy, parseIntactPolicy } from "../client_policy.ts";
import type { ClientKey } from "../client_records.ts";
import type { DeclaredClient } from "./file.ts";
import { foldCase } from "./problem.ts";
import { hashOf, isDisabled, rowHash } from "../user_state.ts";

/** What is to be done, and the lines that tell it. */
export interface ClientDifference {
  update: ClientUpdate;
  lines: string[];
}

/**
 * How a client differs from what is declared of it.
 *
 * @param passwordHash the hash that is to be its password's; `undefined` when it has the right one.
 * @param at when keys are put on record, in milliseconds.
 */
export function differenceOf(
  record: ClientRecord,
  declared: DeclaredClient,
  passwordHash: string | undefined,
  at: number,
): ClientDifference {
  const { user } = record;
  const { username } = user;
  const keys = keyDifference(record, declared.keys, at);
  const update: ClientUpdate = { userId: user.id, ...keys.update };
  const lines: string[] = [];
  const tell = (what: string) => void lines.push(`~ client ${username}: ${what}`);
  const { email } = declared;
  if (email !== undefined && foldCase(email) !== foldCase(user.email ?? "")) {
    update.email = email;
    tell(`email ${user.email ?? "none"} → ${email}`);
  }
  const { disabled = isDisabled(user) } = declared;
  const to = rowHash(passwordHash ?? hashOf(user), disabled);
  if (to !== user.passwordHash) {
    const endsOthers = passwordHash !== undefined;
    update.passwordHash = { from: user.passwordHash, to, endsOthers };
  }
  if (passwordHash !== undefined) tell("password");
  if (disabled !== isDisabled(user)) tell(disabled ? "disabled" : "enabled");
  const changed = policyDifference(record, declared.policy);
  if (changed.length > 0) {
    update.policy = declared.policy === undefined ? null : JSON.stringify(declared.policy);
    changed.forEach(tell);
  }
  return {
    update,
    lines: [...lines, ...keys.lines.map((line) => `${line} of client ${username}`)],
  };
}

/** A key as it is put on record. */
export function toCredential(key: ClientKey, at: number): NewKeyCredential {
  return { kid: key.kid, value: JSON.stringify(key), at };
}

/** A key is the same when its kid and every member are, and it has no end. */
function keyDifference({ credentials }: ClientRecord, declared: readonly ClientKey[], at: number) {
  const stored = new Map(
    credentials.filter(({ type }) => type === "key").map((one) => [one.kid ?? "", one]),
  );
  const wanted = new Set(declared.map(({ kid }) => kid));
  const changed = declared.filter((key) => !isStored(stored.get(key.kid), key));
  const replaced = changed.map(({ kid }) => kid).filter((kid) => stored.has(kid));
  const surplus = [...stored.keys()].filter((kid) => !wanted.has(kid));
  return {
    update: {
      removeKeys: [...replaced, ...surplus],
      addKeys: changed.map((key) => toCredential(key, at)),
    },
    lines: [
      ...changed.map(({ kid }) => `${stored.has(kid) ? "~" : "+"} key ${kid}`),
      ...surplus.map((kid) => `- key ${kid}`),
    ],
  };
}

function isStored(credential: CredentialRecord | undefined, key: ClientKey): boolean {
  if (credential === undefined || credential.validUntil !== null) return false;
  try {
    return isDeepStrictEqual(JSON.parse(credential.value), key);
  } catch {
    return false; // what another program wrote there is no key
  }
}

/** How each member of a policy is called in the file, and shown. */
const MEMBERS: Record<keyof ClientPolicy, (policy: ClientPolicy) => [string, string]> = {
  scopes: ({ scopes }) => ["scopes", scopes.join(" ")],
  audiences: ({ audiences }) => ["audiences", audiences.join(" ")],
  claims: ({ claims }) => ["claims", Object.keys(claims).length ? JSON.stringify(claims) : ""],
  tokenTtl: ({ tokenTtl }) => ["token_ttl", tokenTtl ? formatDuration(tokenTtl) : ""],
  requireDpop: ({ requireDpop }) => ["require_dpop", String(requireDpop)],
  note: ({ note }) => ["note", note === undefined ? "" : JSON.stringify(note)],
};

/** Each member that changes, in words. */
function policyDifference(
  { user, policy }: ClientRecord,
  declared: ClientPolicy = ClientPolicy.parse({}),
): string[] {
  const before = parseIntactPolicy(policy, user.username);
  if (before === undefined) return ["policy, which was damaged"];
  const names = Object.keys(MEMBERS) as (keyof ClientPolicy)[];
  return names.filter((name) => !isDeepStrictEqual(before[name], declared[name])).map((name) => {
    const [shown, from] = MEMBERS[name](before);
    return `policy.${shown} ${from || "none"} → ${MEMBERS[name](declared)[1] || "none"}`;
  });
}
