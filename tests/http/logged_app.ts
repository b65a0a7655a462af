/** The app over a database whose authentication log can be looked at. */

import { SqliteStorage } from "../../lib/storage/sqlite/sqlite_storage.ts";
import type { Storage } from "../../lib/storage/storage.ts";
import { type AppOptions, json, makeApp, openDatabase } from "../support.ts";

export const JWKS = "/.well-known/jwks.json";
export const ALICE = { username: "alice", email: "alice@example.com" };

export interface LoggedAppOptions extends Omit<AppOptions, "storage"> {
  /** Puts another storage before the one of the database. */
  wrap?: (storage: Storage) => Storage;
}

/** As `makeApp`, with `logRows` and `register`. */
export async function makeLoggedApp(
  { wrap = (storage) => storage, ...options }: LoggedAppOptions = {},
) {
  const database = openDatabase();
  const app = await makeApp({ ...options, storage: wrap(new SqliteStorage(database)) });
  const logRows = () =>
    database.all<object>(
      "SELECT request_ip, request_timestamp, user_id FROM auth_logs ORDER BY id",
    ).map((row) => ({ ...row }));
  /** Registers a user, as a client that does nothing else, and gives its password. */
  const register = async (user = ALICE): Promise<string> => {
    const response = await app.send("/register", json(user), "192.0.2.99");
    if (response.status !== 201) throw new Error(`Not registered: ${await response.text()}`);
    return (await response.json()).password;
  };
  return { ...app, logRows, register };
}
