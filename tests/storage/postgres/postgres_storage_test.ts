import { testStorage } from "../storage_conformance.ts";
import { makeDatabase, startServer } from "./databases.ts";
import { testExamination } from "./examination.ts";
import { testForeignRows } from "./foreign_rows.ts";
import { testKeysAtOnce } from "./keys_at_once.ts";
import { testLoginsAtOnce } from "./logins_at_once.ts";
import { testLostAnswers } from "./lost_answers.ts";
import { testRevisionByOthers } from "./revision.ts";
import { testRoundTrips } from "./round_trips.ts";
import { testServers } from "./servers.ts";
import { testSettings } from "./settings.ts";
import { testTexts } from "./texts.ts";
import { testUsedIds } from "./used_ids.ts";
import { testUsersAtOnce } from "./users_at_once.ts";

const server = await startServer("PostgresStorage");
if (server !== undefined) {
  const database = await makeDatabase(server);
  testStorage("PostgresStorage", async () => {
    const storage = await database.openEmpty();
    return { storage, close: () => storage.close() };
  });
  testRevisionByOthers(database);
  testRoundTrips(database);
  testForeignRows(database);
  testTexts(database);
  testSettings(database);
  testServers(database);
  testExamination(database);
  testUsedIds(database);
  testKeysAtOnce(database);
  testUsersAtOnce(database);
  testLoginsAtOnce(database);
  testLostAnswers(database);
}
