/** Many clients changed in one transaction. */

import type {
  ClientChanges,
  ClientRecord,
  ClientUpdate,
  NewClient,
  NewKeyCredential,
  RowId,
} from "../storage.ts";
import {
  addCredential,
  findClients,
  removeCredential,
  replacePassword,
  writeClientPolicy,
} from "./clients_tables.ts";
import type { Statements } from "./transaction.ts";
import { versionOf } from "../client_version.ts";
import { must } from "../superseded.ts";
import { createUser, deleteUser, replacePasswordHash, writeEmail } from "./users_table.ts";

/** In a transaction. @throws {Superseded} when a client or what is taken has changed. */
export async function applyClients(
  tx: Statements,
  expected: readonly ClientRecord[],
  { remove, update, create }: ClientChanges,
): Promise<void> {
  const changed = [...remove, ...update].map(({ userId }) => userId);
  await holdUsers(tx, [...expected.map(({ user }) => user.id), ...changed]);
  await assertUnchanged(tx, expected);
  for (const { userId, nameHash } of remove) must(await deleteUser(tx, userId, nameHash));
  for (const one of update) await updateClient(tx, one);
  for (const one of create) await createClient(tx, one);
}

/** In one order, so that nobody who does the same waits in a circle. */
async function holdUsers(tx: Statements, ids: readonly RowId[]): Promise<void> {
  await tx.query(
    "SELECT FROM users WHERE id = ANY($1::bigint[]) ORDER BY id FOR NO KEY UPDATE",
    [ids],
  );
}

async function assertUnchanged(tx: Statements, expected: readonly ClientRecord[]): Promise<void> {
  const found = await findClients(tx, expected.map(({ user }) => user.username));
  const versions = new Map(found.map((record) => [record.user.id, versionOf(record)]));
  for (const record of expected) must(versions.get(record.user.id) === versionOf(record));
}

async function updateClient(tx: Statements, update: ClientUpdate): Promise<void> {
  const { userId, email, passwordHash, policy, removeKeys, addKeys } = update;
  if (email !== undefined) await writeEmail(tx, userId, email);
  if (passwordHash !== undefined) {
    const { from, to, endsOthers } = passwordHash;
    must(
      endsOthers
        ? await replacePassword(tx, userId, { from, to })
        : await replacePasswordHash(tx, userId, from, to),
    );
  }
  if (policy !== undefined) must(await writeClientPolicy(tx, userId, policy ?? undefined));
  for (const kid of removeKeys) must(await removeCredential(tx, userId, kid));
  await addKeysTo(tx, userId, addKeys);
}

async function createClient(tx: Statements, client: NewClient): Promise<void> {
  const { id } = await createUser(tx, client);
  if (client.policy !== undefined) must(await writeClientPolicy(tx, id, client.policy));
  await addKeysTo(tx, id, client.keys);
}

async function addKeysTo(
  tx: Statements,
  userId: RowId,
  keys: readonly NewKeyCredential[],
): Promise<void> {
  for (const key of keys) must(await addCredential(tx, userId, key));
}
