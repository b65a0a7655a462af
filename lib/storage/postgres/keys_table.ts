/** The table `keys`, with what stands in `meta` and `key_state` beside it. */

import type {
  KeyChange,
  KeyEncryptionRecord,
  KeyRecord,
  KeySnapshot,
  OddRow,
  RowId,
} from "../storage.ts";
import { META, toRevision, valueOf, writeKeyEncryption } from "./meta.ts";
import type { Statements } from "./transaction.ts";

/** A key's row, or its absence, beside what is the same in all of them. */
interface Row {
  version: number;
  check: Uint8Array | null;
  policy: Uint8Array | null;
  id: RowId | null;
  key: Uint8Array;
  exp: RowId;
}

/**
 * One statement, so that all of it is of one moment, at one round trip. The limit says how many rows
 * the state has: to a planner who expects thousands, this is a work worth compiling.
 */
const SELECT = `SELECT version, ${valueOf(META.check)} AS check, ` +
  `${valueOf(META.policy)} AS policy, kid AS id, key, exp ` +
  "FROM (SELECT version FROM key_state LIMIT 1) AS state LEFT JOIN keys ON true ORDER BY kid";

export async function readKeys(statements: Statements): Promise<KeySnapshot> {
  const { rows } = await statements.query<Row>(SELECT);
  const records: KeyRecord[] = [];
  const odd: OddRow[] = [];
  for (const { id, key, exp } of rows) {
    if (id === null) continue; // there is no key
    if (typeof id !== "number") odd.push({ id, reason: "its kid is larger than any key's" });
    else if (typeof exp !== "number") odd.push({ id: String(id), reason: "its exp is no time" });
    else records.push({ id, key, exp });
  }
  const { version, check, policy } = rows[0] ?? {};
  return {
    revision: toRevision(version),
    records,
    odd,
    check: check ?? new Uint8Array(),
    policy: policy ?? undefined,
  };
}

/** In a transaction: applies `change` unless something has changed since `expected` was read. */
export async function changeKeys(
  tx: Statements,
  expected: KeySnapshot,
  { put, remove }: KeyChange,
): Promise<boolean> {
  if (!await isFirst(tx, expected)) return false;
  if (remove.length > 0) {
    await tx.query("DELETE FROM keys WHERE kid = ANY($1::bigint[])", [remove]);
  }
  await putKeys(tx, put);
  return true;
}

/** In a transaction: replaces everything unless something has changed since `expected` was read. */
export async function replaceKeys(
  tx: Statements,
  expected: KeySnapshot,
  records: readonly KeyRecord[],
  keyEncryption: KeyEncryptionRecord,
): Promise<boolean> {
  if (!await isFirst(tx, expected)) return false;
  await tx.query("DELETE FROM keys");
  await putKeys(tx, records);
  await writeKeyEncryption(tx, keyEncryption);
  return true;
}

/**
 * Takes the next revision, which one of several who expect the same one gets: the others wait for
 * that row, find it changed, and have nothing to update.
 */
async function isFirst(tx: Statements, { revision, check }: KeySnapshot): Promise<boolean> {
  const { count } = await tx.query(
    "UPDATE key_state SET version = version + 1 WHERE version = $1 " +
      `AND coalesce(${valueOf(META.check)}, '') = $2`,
    [revision, check],
  );
  return count === 1;
}

async function putKeys(tx: Statements, records: readonly KeyRecord[]): Promise<void> {
  if (records.length === 0) return;
  await tx.query(
    "INSERT INTO keys (kid, key, exp) SELECT * FROM unnest($1::bigint[], $2::bytea[], $3::bigint[]) " +
      "ON CONFLICT (kid) DO UPDATE SET key = excluded.key, exp = excluded.exp",
    [
      records.map(({ id }) => id),
      records.map(({ key }) => key),
      records.map(({ exp }) => exp),
    ],
  );
}
