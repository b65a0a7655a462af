/** How an authentication is recorded: by one statement, for one round trip to the server. */

import { USE_INTERVAL } from "../use_interval.ts";
import type { AuthenticationRecord } from "../storage.ts";
import { timeAt, toSeconds } from "./columns.ts";
import { sqlState } from "./faults.ts";
import { toRevision } from "./meta.ts";
import type { Statements } from "./transaction.ts";
import type { Value } from "./values.ts";

/** What a row refers to is not there any more (SQLSTATE). */
const FOREIGN_KEY_VIOLATION = "23503";

const AT = timeAt("$2");

/** One that lies ahead is a clock's that was set back since. */
const IS_LOGIN_DUE = `(last_login IS NULL OR last_login > ${AT} ` +
  `OR last_login <= ${AT} - interval '${USE_INTERVAL} milliseconds')`;

const IS_USE_DUE = `(last_used IS NULL OR last_used <= $7 - ${USE_INTERVAL})`;

/** Without its row nothing is recorded, as nobody could tell whether the keys are those that signed. */
const STATE = "SELECT version FROM key_state";
const IS_STATED = "EXISTS (SELECT FROM state)";

/** The user, when it is as it was checked. */
const CHECKED = "SELECT id, false AS is_use_due FROM users " +
  `WHERE id = $3 AND password_hash = $4 AND ${IS_STATED}`;

/** The same by a credential that is as it was checked, and valid. */
const CHECKED_BY_CREDENTIAL = `SELECT users.id, ${IS_USE_DUE} AS is_use_due ` +
  "FROM users JOIN client_credentials AS used ON used.id = $5 AND used.user_id = users.id " +
  "AND used.value = $6 AND (used.valid_until IS NULL OR used.valid_until > $7) " +
  `WHERE users.id = $3 AND password_hash = $4 AND ${IS_STATED}`;

/** Of a credential whose use is written, the user is held first, as by all that change a client. */
const SEEN =
  `UPDATE users SET last_login = CASE WHEN ${IS_LOGIN_DUE} THEN ${AT} ELSE last_login END ` +
  `FROM checked WHERE users.id = checked.id AND (is_use_due OR ${IS_LOGIN_DUE}) ` +
  "RETURNING users.id, is_use_due";

const USED = "UPDATE client_credentials SET last_used = $7 FROM seen " +
  `WHERE client_credentials.id = $5 AND is_use_due AND ${IS_USE_DUE}`;

/** After the user is held: the row's reference to it, which is checked last, waits for nobody then. */
const LOGGED = "INSERT INTO auth_logs (request_ip, request_timestamp, user_id) " +
  `SELECT $1, ${AT}, checked.id FROM checked LEFT JOIN seen ON seen.id = checked.id RETURNING id`;

const LOGGED_REFUSAL = "INSERT INTO auth_logs (request_ip, request_timestamp) " +
  `SELECT $1, ${AT} FROM state RETURNING id`;

const ANSWER = "SELECT (SELECT version FROM state) AS version, " +
  'EXISTS (SELECT FROM logged) AS "isLogged"';

const SUCCESS = `WITH state AS (${STATE}), checked AS (${CHECKED}), seen AS (${SEEN}), ` +
  `logged AS (${LOGGED}) ${ANSWER}`;
const SUCCESS_BY_CREDENTIAL = `WITH state AS (${STATE}), checked AS (${CHECKED_BY_CREDENTIAL}), ` +
  `seen AS (${SEEN}), used AS (${USED}), logged AS (${LOGGED}) ${ANSWER}`;
const REFUSAL = `WITH state AS (${STATE}), logged AS (${LOGGED_REFUSAL}) ${ANSWER}`;

interface Recorded {
  version: number | null;
  isLogged: boolean;
}

/** `undefined`, with nothing written, when the user is not as it was checked; else the revision. */
export async function recordAuthentication(
  statements: Statements,
  record: AuthenticationRecord,
): Promise<number | undefined> {
  try {
    const { rows } = await statements.query<Recorded>(...toQuery(record));
    const { version, isLogged } = rows[0]!;
    const revision = toRevision(version);
    return isLogged ? revision : undefined;
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
