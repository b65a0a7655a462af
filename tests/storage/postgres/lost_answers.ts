/** What becomes of a change whose answer is lost on its way. */

import assert from "node:assert/strict";
import { parsePostgresUrl } from "../../../lib/storage/postgres/location.ts";
import { PostgresPool } from "../../../lib/storage/postgres/pool.ts";
import { PostgresStorage } from "../../../lib/storage/postgres/postgres_storage.ts";
import { Tunnel } from "../../servers/tunnel.ts";
import { ALICE, AT, type TestDatabase } from "./databases.ts";

export function testLostAnswers(database: TestDatabase): void {
  for (const lost of ["UPDATE users", "COMMIT\0"]) {
    database.test(`a password is replaced once when the answer to ${JSON.stringify(lost)} is lost`, async (storage) => {
      const { id } = (await storage.createUser(ALICE))!;
      await using tunnel = new Tunnel(database.server.port);
      const url = tunnel.through(database.server.url(database.name));
      const far = new PostgresStorage(new PostgresPool(parsePostgresUrl(url)!));
      try {
        await far.findClient("alice");
        tunnel.loseAnswerTo(lost);
        const kept = { value: "x", at: AT, validUntil: AT + 1000 };
        assert.ok(await far.replacePassword(id, { from: "x", to: "y", kept }));
      } finally {
        await far.close();
      }
      const { user, credentials } = (await storage.findClient("alice"))!;
      assert.deepEqual([user.passwordHash, credentials.length], ["y", 1]);
    });
  }
}
