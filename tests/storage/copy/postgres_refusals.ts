/** What becomes of a copy into PostgreSQL that cannot be made, or not kept. */

import assert from "node:assert/strict";
import type { DomainError } from "../../../lib/base/errors.ts";
import { copyTables } from "../../../lib/storage/copy.ts";
import { parsePostgresUrl } from "../../../lib/storage/postgres/location.ts";
import * as postgres from "../../../lib/storage/postgres/table_access.ts";
import { readTables } from "../../../lib/storage/sqlite/table_reader.ts";
import { TABLES } from "../../../lib/storage/tables.ts";
import { Tunnel } from "../../servers/tunnel.ts";
import { failureOf } from "../../support.ts";
import { makeDatabase } from "../postgres/databases.ts";
import { manyUsers, withFiles } from "./files.ts";
import { PostgresCopies } from "./postgres_copies.ts";

export function testRefusals(copies: PostgresCopies): void {
  const { database } = copies;

  Deno.test("a database in PostgreSQL that holds rows is refused, and left as it is", async () => {
    await database.wipe();
    await database.psql("INSERT INTO users (username, password_hash) VALUES ('a', ''), ('b', '')");
    await withFiles(manyUsers(1), async ({ from }) => {
      const message = "The target is not empty (rows: users 2)";
      await assert.rejects(copies.copyIn(from), { code: "failed", message });
    });
    assert.equal(await copies.countRows(), 2);
  });

  Deno.test("nobody else writes into PostgreSQL while a copy does", async () => {
    await database.wipe();
    for (const name of ["key_state", ...TABLES.map((table) => table.name)]) {
      await copies.write(async () => {
        const lock = `BEGIN; LOCK TABLE ${name} IN ROW EXCLUSIVE MODE NOWAIT`;
        await assert.rejects(database.psql(lock), /could not obtain lock/);
        assert.equal(await database.psql(`SELECT count(*) >= 0 FROM ${name}`), "t");
      });
    }
  });

  Deno.test("nothing is left in PostgreSQL of a copy that fails at any page", async () => {
    await database.wipe();
    await withFiles(manyUsers(2), async ({ from }) => {
      const stopped = new Error("stopped");
      let failures = 0;
      for (let isOver = false; !isOver;) {
        let left = failures + 1;
        const onProgress = () => {
          if (--left === 0) throw stopped;
        };
        isOver = await copies.copyIn(from, onProgress).then(
          () => true,
          (error) => error !== stopped,
        );
        if (!isOver) failures++;
        assert.equal(await copies.countRows(), isOver ? 10 : 0);
      }
      assert.equal(failures, 8);
    });
  });

  Deno.test("PostgreSQL keeps nothing when it is not what was written", async () => {
    await database.wipe();
    await database.psql(`CREATE FUNCTION spoil() RETURNS trigger LANGUAGE plpgsql AS
      $$ BEGIN new.email = 'x@' || new.username; RETURN new; END $$;
      CREATE TRIGGER spoil BEFORE INSERT ON users FOR EACH ROW EXECUTE FUNCTION spoil()`);
    try {
      await withFiles(manyUsers(2), async ({ from }) => {
        const { message } = await copies.refused(from);
        assert.equal(message, "What the target keeps is not what was written to it: users");
      });
    } finally {
      await database.psql("DROP FUNCTION spoil CASCADE");
    }
  });

  Deno.test("a connection that is lost in a copy leaves nothing, and is named", async () => {
    await database.wipe();
    await withFiles(manyUsers(2), async ({ from }) => {
      const copying = copyTables(
        (body) =>
          readTables(from, async (reader) => {
            await database.server.terminateAll();
            return await body(reader);
          }),
        copies.write,
      );
      const { code, message } = await failureOf(() => copying) as DomainError;
      assert.equal(code, "failed");
      assert.match(
        message,
        new RegExp(`^The database ${database.name} of jwks at .* is unreachable: `),
      );
      assert.equal(await copies.countRows(), 0);
    });
  });

  Deno.test("of two databases in PostgreSQL, that is named whose connection is lost", async () => {
    await database.wipe();
    await withFiles(manyUsers(2), async ({ from }) => void await copies.copyIn(from));
    const other = await makeDatabase(database.server);
    for (const lost of [database, other]) {
      const end = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity " +
        `WHERE datname = '${lost.name}' AND pid <> pg_backend_pid()`;
      const copying = copyTables(
        (body) =>
          copies.read(async (reader) => {
            await database.server.psql(end);
            return await body(reader);
          }),
        new PostgresCopies(other).write,
      );
      const { message } = await failureOf(() => copying) as DomainError;
      assert.match(message, new RegExp(`^The database ${lost.name} of jwks at`));
    }
  });

  Deno.test("a connection that is lost while a copy is kept leaves a doubt, which is said", async () => {
    await database.wipe();
    await database.psql(
      `CREATE FUNCTION leave() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER AS
      $$ BEGIN PERFORM pg_terminate_backend(pg_backend_pid()); RETURN NULL; END $$;
      CREATE CONSTRAINT TRIGGER leave AFTER INSERT ON users DEFERRABLE INITIALLY DEFERRED
      FOR EACH ROW EXECUTE FUNCTION leave()`,
    );
    try {
      await withFiles(manyUsers(1), async ({ from }) => {
        const { message } = await copies.refused(from);
        assert.match(
          message,
          /^The connection was lost at the very end: .* holds all of it, or nothing/,
        );
      });
    } finally {
      await database.psql("DROP FUNCTION leave CASCADE");
    }
  });

  Deno.test("a source whose connection is lost at its end leaves no doubt of the target", async () => {
    await database.wipe();
    const source = await makeDatabase(database.server);
    await using tunnel = new Tunnel(database.server.port);
    const location = parsePostgresUrl(tunnel.through(database.server.url(source.name)))!;
    const { message } = await failureOf(() =>
      copyTables(
        (body) =>
          postgres.readTables({ location, ca: undefined }, (reader) => {
            tunnel.loseAnswerTo("COMMIT\0");
            return body(reader);
          }),
        copies.write,
      )
    ) as DomainError;
    assert.match(message, new RegExp(`^The database ${source.name} of .* is unreachable`));
  });
}
