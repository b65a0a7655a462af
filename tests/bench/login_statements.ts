/** The statements of a login as the storage gives them to PostgreSQL, for others to give them, too. */

import { PostgresStorage } from "../../lib/storage/postgres/postgres_storage.ts";
import type { PostgresPool, Value } from "../../lib/storage/postgres/pool.ts";
import type { UserRecord } from "../../lib/storage/storage.ts";

/** A name and an id that no statement holds by itself, so that they are found again. */
const USER: UserRecord = {
  id: 4_815_162_342,
  username: "whose-place-is-taken",
  passwordHash: "of-all-users",
  email: null,
  dateRegistered: null,
  lastLogin: null,
};

interface Asked {
  sql: string;
  values: readonly Value[];
}

/** What a login asks for: the client, and that it be put on record. */
async function askedByLogin(ip: string, at: number): Promise<Asked[]> {
  const asked: Asked[] = [];
  const answer: object[] = [];
  const ask = (sql: string, values: readonly Value[] = []) => {
    asked.push({ sql, values });
    return Promise.resolve({ rows: answer, count: answer.length });
  };
  const storage = new PostgresStorage({ read: ask, write: ask } as unknown as PostgresPool);
  await storage.findClient(USER.username);
  answer.push({ version: 1, isLogged: true });
  await storage.recordAuthentication({ ip, at, user: USER });
  return asked;
}

/** A script for pgbench, and the values of the variables in it. */
export interface LoginScript {
  text: string;
  variables: Record<string, string>;
}

/**
 * A script that does what a login does in the database, of any of the first `users` users. Their
 * names are their ids, and they share a password hash, because pgbench counts and does not write.
 */
export async function loginScript(
  { users, passwordHash, at }: { users: number; passwordHash: string; at: number },
): Promise<LoginScript> {
  const variables: Record<string, string> = {};
  const statements = (await askedByLogin("127.0.0.1", at)).map(({ sql, values }, statement) =>
    sql.replaceAll(/\$(\d+)\b/g, (_, place) => {
      const value = values[Number(place) - 1]!;
      if (value === USER.id || value === USER.username) return ":user";
      const name = `value_${statement}_${place}`;
      variables[name] = value === USER.passwordHash ? passwordHash : String(value);
      return `:${name}`;
    })
  );
  const text = [`\\set user random(1, ${users})`, ...statements.map((sql) => `${sql};`)].join("\n");
  return { text: `${text}\n`, variables };
}
