/** Who comes in: credentials checked, each attempt on record. */

import { DomainError, isDomainError } from "../base/errors.ts";
import type { Clock } from "../base/clock.ts";
import type { ClientAddress } from "../base/ip_address.ts";
import type { Log } from "../base/log.ts";
import type {
  AuthenticationStorage,
  ClientRecord,
  ClientStorage,
  CredentialRecord,
  UserRecord,
  UserStorage,
} from "../storage/storage.ts";
import { type ClientPolicy, parsePolicy } from "./client_policy.ts";
import { DecoyCosts } from "./decoy_costs.ts";
import type { GuessLimit } from "./guess_limit.ts";
import type { LoginCache } from "./login_cache.ts";
import type { PasswordHasher } from "./password.ts";
import { PasswordCheck } from "./password_check.ts";
import { hashOf, isDisabled } from "./user_state.ts";

export interface AuthenticationParts {
  storage: UserStorage & ClientStorage & AuthenticationStorage;
  hasher: PasswordHasher;
  clock: Clock;
  log: Log;
  /** What remembers logins, if any does. */
  cache?: LoginCache | undefined;
  /** What limits the tries at a name, if anything does. */
  guesses?: GuessLimit | undefined;
}

/** What somebody says to be authenticated. */
export interface Credentials {
  username: string;
  password: string;
}

/** A client whose credential was right, as it was when that was checked. */
export interface AuthenticatedClient {
  user: UserRecord;
  policy: ClientPolicy;
  /** The credential, when it was not the current password. */
  credential: Pick<CredentialRecord, "id" | "value"> | undefined;
}

/** Finds out who a client is, and writes down what came of it. */
export class Authentication {
  readonly #parts: AuthenticationParts;
  readonly #check: PasswordCheck;

  constructor(parts: AuthenticationParts) {
    this.#parts = parts;
    const decoys = new DecoyCosts({ ...parts, cost: parts.hasher.cost });
    this.#check = new PasswordCheck({ ...parts, decoys });
  }

  /**
   * The client with these credentials. A refusal is put on record here; a success is by
   * `recordLogin`, once the token it was for exists.
   *
   * @throws {DomainError} `invalid_credentials`, with the reason as data for the log, after the same work for an unknown user, a
   * disabled one and a wrong password, and however many passwords are valid; `rate_limited` when too
   * many are tried for the name; `overloaded` when too many passwords wait to be checked.
   */
  async authenticate(
    credentials: Credentials,
    client: ClientAddress,
  ): Promise<AuthenticatedClient> {
    const { storage, hasher, clock } = this.#parts;
    const record = await storage.findClient(credentials.username);
    const ending = record ? endingPasswords(record, clock()) : [];
    const hashes = record ? [hashOf(record.user), ...ending.map(({ value }) => value)] : [];
    const { isUsable, right } = await this.#check.verify({
      ...credentials,
      network: client.network,
      hashes,
      isDisabled: record !== undefined && isDisabled(record.user),
    });
    if (!isUsable) this.#reportUnusable(record!.user);
    if (record === undefined || right === undefined) {
      await this.recordRefusal(client);
      const reason = refusalOf(record);
      throw new DomainError("invalid_credentials", "The username or the password is wrong", {
        reason,
      });
    }
    const { user } = record;
    const policy = parsePolicy(record.policy, user.username);
    const credential = right === hashes[0] ? undefined : ending.find((one) => one.value === right);
    // A new salt would part the two passwords, and a check would cost twice as much.
    if (ending.length > 0 || !hasher.isOutdated(right)) return { user, policy, credential };
    const upgraded = await this.#upgrade(user, credentials.password, client.network);
    if (upgraded === undefined) return await this.authenticate(credentials, client);
    return { user: upgraded, policy, credential };
  }

  /**
   * Puts a successful authentication on record, durably: only then may the token leave. Gives the
   * revision of the keys at that moment; `undefined`, with nothing on record, when the user's password
   * or state, or the credential, has changed since it was checked, or the credential has ended.
   */
  async recordLogin(
    { user, credential }: Pick<AuthenticatedClient, "user" | "credential">,
    { ip }: ClientAddress,
  ): Promise<number | undefined> {
    const { storage, clock } = this.#parts;
    return await storage.recordAuthentication({ ip, at: clock(), user, credential });
  }

  /** Puts on record that somebody was not who it said. */
  async recordRefusal({ ip }: ClientAddress): Promise<void> {
    const { storage, clock } = this.#parts;
    await storage.recordAuthentication({ ip, at: clock(), user: null });
  }

  /**
   * Rehashes a password that was hashed at another cost; under load that waits for another login.
   * Gives nothing when the hash changed meanwhile, so that the password must be checked again.
   */
  async #upgrade(
    user: UserRecord,
    password: string,
    client: string,
  ): Promise<UserRecord | undefined> {
    const { storage, hasher } = this.#parts;
    try {
      const passwordHash = await hasher.hash(password, client);
      const { id, passwordHash: before } = user;
      const isUpgraded = await storage.replacePasswordHash(id, before, passwordHash);
      return isUpgraded ? { ...user, passwordHash } : undefined;
    } catch (error) {
      if (isDomainError(error, "overloaded")) return user;
      throw error;
    }
  }

  #reportUnusable({ id, username }: UserRecord): void {
    this.#parts.log.error(
      "a row of the table users holds no password hash: the user cannot log in until the password " +
        "is reset",
      { user_id: id, username },
    );
  }
}

/** The replaced password that is valid at a time in milliseconds; the newest, if there are several. */
function endingPasswords({ credentials }: ClientRecord, at: number): CredentialRecord[] {
  return credentials.filter(({ type, validUntil }) =>
    type === "password" && validUntil !== null && at < validUntil
  ).slice(-1);
}

/** Why somebody is refused, in a word that only the log may have: no client learns who is one. */
function refusalOf(record: ClientRecord | undefined): string {
  if (record === undefined) return "unknown_client";
  return isDisabled(record.user) ? "disabled" : "wrong_password";
}
