import { testStorage } from "../storage_conformance.ts";
import { makeDatabase, startServer } from "./databases.ts";

const server = await startServer("PostgresStorage");
if (server !== undefined) {
  const database = await makeDatabase(server);
  testStorage("PostgresStorage", async () => {
    const storage = await database.openEmpty();
    return { storage, close: () => storage.close() };
  });
}
