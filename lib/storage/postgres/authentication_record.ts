/** How an authentication is recorded: by one statement, for one round trip to the server. */

import type { AuthenticationRecord } from "../storage.ts";
import { timeAt, toSeconds } from "./columns.ts";
import { sqlState } from "./faults.ts";
import { REVISION, toRevision } from "./meta.ts";
import type { Statements } from "./transaction.ts";
import type { Value } from "./values.ts";

/** How old `last_login` gets before it is written again, in seconds. */
const LAST_LOGIN_INTERVAL = 60;

/** How old `last_used` gets before it is written again, in milliseconds. */
const LAST_USED_INTERVAL = 60_000;

/** What a row refers to is not there any more (SQLSTATE). */
const FOREIGN_KEY_VIOLATION = "23503";

const AT = timeAt("$2");

/** One that lies ahead is a clock's that was set back since. */
const IS_LOGIN_DUE = `(last_login IS NULL OR last_login > ${AT} ` +
  `OR last_login <= ${AT} - interval '${LAST_LOGIN_INTERVAL} seconds')`;

/** The credential as it was checked, and valid. */
const IS_USABLE = "EXISTS (SELECT FROM client_credentials WHERE id = $5 AND user_id = $3 " +
  "AND value = $6 AND (valid_until IS NULL OR valid_until > $7))";

/**
 * The statement that writes a row when the user is as it was checked, and gives the revision then.
 * Rows are locked as everybody locks them, the user's first; the log's reference to it, last.
 */
function statementOf({ withCredential }: { withCredential: boolean }): string {
  const used = "used AS (UPDATE client_credentials SET last_used = $7 " +
    "FROM checked LEFT JOIN seen ON seen.id = checked.id WHERE client_credentials.id = $5 " +
    `AND (last_used IS NULL OR last_used <= $7 - ${LAST_USED_INTERVAL})), `;
  return "WITH checked AS (SELECT id FROM users WHERE id = $3 AND password_hash = $4" +
    `${withCredential ? ` AND ${IS_USABLE}` : ""}), ` +
    `seen AS (UPDATE users SET last_login = ${AT} FROM checked ` +
    `WHERE users.id = checked.id AND ${IS_LOGIN_DUE} RETURNING users.id), ` +
    (withCredential ? used : "") +
    "logged AS (INSERT INTO auth_logs (request_ip, request_timestamp, user_id) " +
    `SELECT $1, ${AT}, checked.id FROM checked LEFT JOIN seen ON seen.id = checked.id RETURNING id) ` +
    `SELECT ${REVISION} AS version FROM logged`;
}

const SUCCESS = statementOf({ withCredential: false });
const SUCCESS_BY_CREDENTIAL = statementOf({ withCredential: true });
const REFUSAL = "WITH logged AS (INSERT INTO auth_logs (request_ip, request_timestamp) " +
  `VALUES ($1, ${AT}) RETURNING id) SELECT ${REVISION} AS version FROM logged`;

/** `undefined`, with nothing written, when the user is not as it was checked; else the revision. */
export async function recordAuthentication(
  statements: Statements,
  record: AuthenticationRecord,
): Promise<number | undefined> {
  try {
    const { rows: [row] } = await statements.query<{ version: number | null }>(...toQuery(record));
    return row && toRevision(row.version);
  } catch (error) {
    if (sqlState(error) === FOREIGN_KEY_VIOLATION) return undefined; // deleted at this moment
    throw error;
  }
}

function toQuery({ ip, at, user, credential }: AuthenticationRecord): [string, Value[]] {
  const values = [ip, toSeconds(at)];
  if (user === null) return [REFUSAL, values];
  values.push(user.id, user.passwordHash);
  if (credential === undefined) return [SUCCESS, values];
  return [SUCCESS_BY_CREDENTIAL, [...values, credential.id, credential.value, at]];
}
