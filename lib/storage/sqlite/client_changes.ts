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
  findClient,
  removeCredential,
  replacePassword,
  writeClientPolicy,
} from "./clients_tables.ts";
import { versionOf } from "../client_version.ts";
import { must, Superseded } from "../superseded.ts";
import type { SqliteDatabase } from "./database.ts";
import { createUser, deleteUser, replacePasswordHash, writeEmail } from "./users_table.ts";

/** In a transaction. @throws {Superseded} when a client or what is taken has changed. */
export function applyClients(
  database: SqliteDatabase,
  expected: readonly ClientRecord[],
  { remove, update, create }: ClientChanges,
): void {
  for (const record of expected) {
    const found = findClient(database, record.user.username);
    must(found !== undefined && versionOf(found) === versionOf(record));
  }
  for (const { userId, nameHash } of remove) must(deleteUser(database, userId, nameHash));
  for (const one of update) updateClient(database, one);
  for (const one of create) createClient(database, one);
}

function updateClient(database: SqliteDatabase, update: ClientUpdate): void {
  const { userId, email, passwordHash, policy, removeKeys, addKeys } = update;
  if (email !== undefined) must(writeEmail(database, userId, email));
  if (passwordHash !== undefined) {
    const { from, to, endsOthers } = passwordHash;
    must(
      endsOthers
        ? replacePassword(database, userId, { from, to })
        : replacePasswordHash(database, userId, from, to),
    );
  }
  if (policy !== undefined) must(writeClientPolicy(database, userId, policy ?? undefined));
  for (const kid of removeKeys) must(removeCredential(database, userId, kid));
  addKeysTo(database, userId, addKeys);
}

function createClient(database: SqliteDatabase, client: NewClient): void {
  const user = createUser(database, client);
  if (user === undefined) throw new Superseded();
  if (client.policy !== undefined) must(writeClientPolicy(database, user.id, client.policy));
  addKeysTo(database, user.id, client.keys);
}

function addKeysTo(
  database: SqliteDatabase,
  userId: RowId,
  keys: readonly NewKeyCredential[],
): void {
  for (const key of keys) must(addCredential(database, userId, key));
}
