/** `users add-key` and `users remove-key`: the public keys of a client. */

import type { ClientKey } from "../accounts/client_records.ts";
import { DomainError } from "../base/errors.ts";
import type { CredentialRecord } from "../storage/storage.ts";
import type { KeyOptions } from "../tokens/client_key.ts";
import { readPublicKey } from "./client_key_file.ts";
import { accountsOf, type UsersContext } from "./users.ts";

/**
 * Lets a client authenticate with the public key in `text`, too.
 *
 * @throws {DomainError} `key_refused`; `not_found`; `conflict` for a key or kid that it has already.
 */
export async function addClientKey(
  context: UsersContext,
  username: string,
  text: string,
  options: KeyOptions,
): Promise<void> {
  const key = await readPublicKey(text, options);
  const accounts = accountsOf(context);
  const { credentials } = await accounts.findClient(username);
  const same = credentials.find((credential) => isSameKey(credential, key));
  if (same !== undefined) {
    throw new DomainError("conflict", `The user has this key already, as ${same.kid}`, {
      hints: ["remove it first, to add it in another way"],
    });
  }
  await accounts.addKey(username, key);
  context.output.print(`User ${username} may authenticate with the key ${key.kid} (${key.alg})`);
}

/** Takes a key from a client. @throws {DomainError} `not_found`. */
export async function removeClientKey(
  context: UsersContext,
  username: string,
  kid: string,
): Promise<void> {
  await accountsOf(context).removeKey(username, kid);
  context.output.print(`User ${username} may not authenticate with the key ${kid} any more`);
}

/** Whether a key is stored already, under whatever name: removing that would not remove the key. */
function isSameKey({ type, value }: CredentialRecord, { n, x, y, pub }: ClientKey): boolean {
  if (type !== "key") return false;
  try {
    const stored = JSON.parse(value);
    return stored.n === n && stored.x === x && stored.y === y && stored.pub === pub;
  } catch {
    return false; // what another program wrote there is no key
  }
}
