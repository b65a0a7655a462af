/** Names, addresses and other text as they are asked for. */

import assert from "node:assert/strict";
import fc from "fast-check";
import { ALICE, AT, type TestDatabase } from "./databases.ts";

const NUL = "a\0b";

export function testTexts(database: TestDatabase): void {
  database.test("a NUL, which PostgreSQL's text cannot hold, is nobody's, and fails nothing", async (storage) => {
    const user = (await storage.createUser(ALICE))!;
    assert.equal(await storage.findUser("alice\0"), undefined);
    assert.equal(await storage.findUserByEmail("a@b.c\0"), undefined);
    assert.equal(await storage.findClient("alice\0"), undefined);
    assert.equal(await storage.removeCredential(user.id, NUL), false);
    assert.equal(await storage.seekAuthentications({ since: 0, username: NUL, last: 1 }), 0);
    const query = { afterId: 0, since: 0, username: NUL, limit: 9 };
    assert.deepEqual(await storage.readAuthentications(query), []);
    assert.equal(await storage.replacePasswordHash(user.id, NUL, "y"), false);
    const forged = { id: user.id, passwordHash: NUL };
    assert.equal(
      await storage.recordAuthentication({ ip: "::1", at: AT, user: forged }),
      undefined,
    );

    await storage.recordAuthentication({ ip: NUL, at: AT, user });
    assert.equal((await storage.newestAuthentications(1))[0]!.ip, "a\ufffdb");
    await storage.replaceClientPolicy(user.id, undefined, NUL);
    assert.equal((await storage.findClient("alice"))!.policy, "a\ufffdb");
    const create = [{ ...ALICE, username: NUL, email: `${NUL}@b.c`, keys: [] }];
    assert.equal(await storage.applyClients([], { remove: [], update: [], create }), true);
    assert.equal((await storage.findUser("a\ufffdb"))!.email, "a\ufffdb@b.c");
    assert.deepEqual(new Set(Object.values(storage.failures)), new Set([0]));
  });

  database.test("any username that may be registered is stored, and found in any ASCII case alone", async (storage) => {
    const first = [..."ABCxyz019"];
    const character = fc.constantFrom(...first, ..."._@+-");
    const name = fc.tuple(fc.constantFrom(...first), fc.array(character, { maxLength: 63 }))
      .map(([start, rest]) => start + rest.join(""));
    await fc.assert(
      fc.asyncProperty(
        name,
        fc.uint8Array({ minLength: 8, maxLength: 8 }),
        async (username, salt) => {
          const email = `${salt.toHex()}@${username}`;
          const user = await storage.createUser({ ...ALICE, username, email });
          const found = await storage.findUser(username);
          if (user !== undefined) assert.deepEqual(found, user);
          assert.equal(found?.username.toLowerCase(), username.toLowerCase());
          assert.deepEqual(await storage.findUser(username.toUpperCase()), found);
          assert.deepEqual((await storage.findClient(username.toLowerCase()))?.user, found);
        },
      ),
      { numRuns: 50 },
    );
  });

  database.test("no letter beyond ASCII is another's case", async (storage) => {
    for (
      const [place, email] of ["É@b.c", "é@b.c", "İ@b.c", "i@b.c", "ı@b.c", "\u212a@b.c", "k@b.c"]
        .entries()
    ) {
      const user = await storage.createUser({ ...ALICE, username: `u${place}`, email });
      assert.equal(user?.email, email);
    }
    assert.equal(
      await storage.createUser({ ...ALICE, username: "last", email: "I@B.C" }),
      undefined,
    );
  });
}
