/** What is asked of a storage whose tables are large: none of it may take long. */

import assert from "node:assert/strict";
import type { Storage } from "../../lib/storage/storage.ts";

export const NOW = Date.UTC(2030, 0, 1);
/** The user of whom much is asked; its number is 1. */
export const USER = {
  username: "alice",
  email: "a@b.c",
  passwordHash: "x",
  at: NOW,
  nameHash: bytes(1),
};
const USERNAME = USER.username;

/** What is asked of a storage by name, with a user in it. */
export const USES: Record<string, (storage: Storage) => Promise<unknown>> = {
  "registration": (storage) => storage.createUser({ ...USER, username: "bob", email: "b@b.c" }),
  "a user": (storage) => storage.findUser(USERNAME),
  "an address": (storage) => storage.findUserByEmail(USER.email),
  "a client": (storage) => storage.findClient(USERNAME),
  "a sample of hashes": (storage) => storage.samplePasswordHashes(64),
  "a page of users": (storage) => storage.listUsers({ limit: 10 }),
  "a further page of users": (storage) => storage.listUsers({ afterId: 1, limit: 10 }),
  "a login": async (storage) => {
    const user = (await storage.findUser(USERNAME))!;
    return await storage.recordAuthentication({ ip: "::1", at: NOW, user });
  },
  "a login with a credential": async (storage) => {
    await storage.addCredential(1, { kid: "k", value: "v", at: 0 });
    const { user, credentials: [credential] } = (await storage.findClient(USERNAME))!;
    return await storage.recordAuthentication({ ip: "::1", at: NOW, user, credential });
  },
  "a refused login": (storage) => storage.recordAuthentication({ ip: "::1", at: NOW, user: null }),
  "a new hash": (storage) => storage.replacePasswordHash(1, "x", "y"),
  "a new password": (storage) => storage.replacePassword(1, { from: "x", to: "y" }),
  "a policy": (storage) => storage.replaceClientPolicy(1, undefined, "{}"),
  "clients declared": async (storage) => {
    const client = (await storage.findClient(USERNAME))!;
    const update = { userId: 1, email: "c@b.c", policy: "{}", removeKeys: [], addKeys: [] };
    const create = [{ ...USER, username: "carol", email: "d@b.c", nameHash: bytes(2), keys: [] }];
    assert.ok(await storage.applyClients([client], { remove: [], update: [update], create }));
  },
  "deletion": (storage) => storage.deleteUser(1, bytes(3)),
  "the purge": (storage) => storage.purgeAuthentications(NOW, 10),
  "logs": async (storage) => {
    await storage.seekAuthentications({ since: 0, last: 100 });
    return await storage.readAuthentications({ afterId: 0, since: 0, limit: 10 });
  },
  "logs --since": (storage) => storage.seekAuthentications({ since: NOW }),
  "logs --since the last minutes": (storage) =>
    storage.seekAuthentications({ since: NOW - 300_000 }),
  "logs --since --limit": (storage) => storage.seekAuthentications({ since: NOW - 9e9, last: 5 }),
  "logs --user": async (storage) => {
    for (const last of [undefined, 100]) {
      for (const since of [0, NOW]) {
        await storage.seekAuthentications({ since, username: USERNAME, last });
      }
    }
    return await storage.readAuthentications({
      afterId: 0,
      since: 0,
      username: USERNAME,
      limit: 10,
    });
  },
  "the newest entries": (storage) => storage.newestAuthentications(10),
  "the count since a time": (storage) => storage.countAuthentications(NOW),
};

function bytes(value: number): Uint8Array {
  return new Uint8Array([value]);
}
