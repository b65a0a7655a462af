import assert from "node:assert/strict";
import { TABLES } from "../../../lib/storage/tables.ts";
import { openDatabase } from "../../support.ts";
import { runElsewhere } from "../sqlite/databases.ts";
import { refusedCopy, SECRET_ROWS, withFiles } from "./files.ts";
import { dump } from "./rows.ts";

/** What no program of this kind writes, and how it is named. */
const ODD: readonly [sql: string, named: string][] = [
  ...[
    "'2026-11-22T10:00:00Z'",
    "1795000000",
    "'2026-02-30 10:00:00'",
    "'0000-01-01 10:00:00'",
    "x'00'",
    "'2026-11-22 10:00:00' || char(0) || 'x'",
  ]
    .map((time): [string, string] => [
      `INSERT INTO auth_logs (id, request_ip, request_timestamp) VALUES (5, '', ${time})`,
      "auth_logs WHERE rowid = 5: request_timestamp is no time of the form YYYY-MM-DD HH:MM:SS",
    ]),
  ...["x'61'", "'a' || char(0) || 'b'", "CAST(x'61ff' AS TEXT)", "CAST(x'eda080' AS TEXT)"]
    .map((name): [string, string] => [
      `INSERT INTO users (id, username, password_hash) VALUES (6, ${name}, '')`,
      "users WHERE rowid = 6: username is no text in UTF-8 without NUL characters",
    ]),
  [
    "INSERT INTO users (id, username, password_hash, email) VALUES (1, 'a', '', x'00')",
    "users WHERE rowid = 1: email is no text in UTF-8 without NUL characters",
  ],
  [
    "INSERT INTO users (id, username, password_hash, last_login) VALUES (1, 'a', '', 'now')",
    "users WHERE rowid = 1: last_login is no time of the form YYYY-MM-DD HH:MM:SS",
  ],
  ...["'text'", "7", "9223372036854775807", "1.5"].map((key): [string, string] => [
    `INSERT INTO keys (kid, key, exp) VALUES (-7, ${key}, 1)`,
    "keys WHERE rowid = -7: key is no bytes",
  ]),
  ...["1.5", "'soon'", "x'01'", "9223372036854775808"].map((exp): [string, string] => [
    `INSERT INTO keys (kid, key, exp) VALUES (9223372036854775807, x'01', ${exp})`,
    "keys WHERE rowid = 9223372036854775807: exp is no integer",
  ]),
  [
    "INSERT INTO meta (rowid, name, value) VALUES (900, 'policy', 5)",
    "meta WHERE rowid = 900: value is no bytes",
  ],
  [
    "INSERT INTO meta (rowid, name, value) VALUES (8, NULL, x'01')",
    "meta WHERE rowid = 8: name is missing",
  ],
  [
    "INSERT INTO meta (rowid, name, value) VALUES (8, CAST('running' AS BLOB), x'01')",
    "meta WHERE rowid = 8: name is no text in UTF-8 without NUL characters",
  ],
  ["INSERT INTO tombstones VALUES ('a')", "tombstones WHERE rowid = 1: name_hash is no bytes"],
  ["INSERT INTO tombstones VALUES (NULL)", "tombstones WHERE rowid = 1: name_hash is missing"],
  [
    "INSERT INTO auth_logs (id, request_ip, user_id) VALUES (1, '', 99)",
    "auth_logs WHERE rowid = 1: user_id is no user's id",
  ],
  [
    "INSERT INTO auth_logs (id, request_ip, user_id) VALUES (1, '', 'alice')",
    "auth_logs WHERE rowid = 1: user_id is no user's id",
  ],
  [
    "INSERT INTO client_policies (user_id, policy) VALUES (3, '{}')",
    "client_policies WHERE rowid = 3: user_id is no user's id",
  ],
  [
    "INSERT INTO users (id, username, password_hash) VALUES (1, 'a', '');" +
    "INSERT INTO client_credentials (user_id, type, value, created_at) VALUES (1, 'key', '', 'x')",
    "client_credentials WHERE rowid = 1: created_at is no integer",
  ],
];

const EMPTY = TABLES.toReversed().map(({ name }) => `DELETE FROM ${name};`).join("") + SECRET_ROWS;

Deno.test("a value of another kind is refused by its table and row, and nothing is copied", async () => {
  await withFiles("", async (files) => {
    openDatabase(files.to).close();
    for (const [sql, named] of ODD) {
      runElsewhere(files.from, `PRAGMA foreign_keys = OFF; ${EMPTY}; ${sql}`);
      const { code, message, hints } = await refusedCopy(files);
      assert.equal(code, "failed", sql);
      assert.equal(message, "A row cannot be copied: another program wrote it", sql);
      assert.equal(hints[0], named, sql);
      assert.match(hints[1]!, /^correct the row or delete it, and copy again/, sql);
      assert.equal(hints.length, 2, sql);
      assert.deepEqual(dump(files.to).users, []);
    }
  });
});

Deno.test("of many odd rows the first are named, and all are counted", async () => {
  const sql = `INSERT INTO tombstones (name_hash) VALUES (x'00');
    WITH RECURSIVE numbers (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers WHERE n < 2500)
    INSERT INTO tombstones (name_hash) SELECT 'text' || n FROM numbers;
    INSERT INTO keys (kid, key, exp) VALUES (1, '', 1)`;
  await withFiles(sql, async (files) => {
    const { message, hints } = await refusedCopy(files);
    assert.equal(message, "2501 rows cannot be copied: another program wrote them");
    assert.equal(hints.length, 7);
    assert.equal(hints[0], "keys WHERE rowid = 1: key is no bytes");
    assert.equal(hints[5], "and 2496 more");
  });
});

Deno.test("no value of an odd row is shown", async () => {
  const sql = "INSERT INTO keys (kid, key, exp) VALUES (1, 'a secret', 1);" +
    "INSERT INTO users (username, password_hash) VALUES ('alice', CAST('a secret' AS BLOB))";
  await withFiles(sql, async (files) => {
    const { message, hints } = await refusedCopy(files);
    assert.doesNotMatch([message, ...hints].join(), /secret/);
  });
});
