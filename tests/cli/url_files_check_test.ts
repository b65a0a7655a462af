import assert from "node:assert/strict";
import { withWorkplace } from "./workplace.ts";

Deno.test("doctor checks who may read the files of URLs, which may hold a password", () =>
  withWorkplace(async (workplace) => {
    const [databaseUrl, redisUrl] = ["database-url", "redis-url"]
      .map((name) => `${workplace.directory}/${name}`) as [string, string];
    await Deno.writeTextFile(databaseUrl, `${workplace.directory}/keys.db`, { mode: 0o600 });
    await Deno.writeTextFile(redisUrl, "redis://:hunter2@127.0.0.1:1", { mode: 0o600 });
    const env = { DATABASE: "", DATABASE_FILE: databaseUrl, REDIS_URL_FILE: redisUrl };
    const statuses = async () => {
      const { DATABASE_FILE, REDIS_URL_FILE } = await workplace.findings(env);
      return [DATABASE_FILE, REDIS_URL_FILE];
    };
    assert.deepEqual(await statuses(), ["ok", "ok"]);
    await Deno.chmod(redisUrl, 0o640);
    assert.deepEqual(await statuses(), ["ok", "problem"]);
    await Deno.chmod(databaseUrl, 0o604);
    assert.deepEqual(await statuses(), ["problem", "problem"]);
    const { DATABASE_FILE, REDIS_URL_FILE } = await workplace.findings();
    assert.deepEqual([DATABASE_FILE, REDIS_URL_FILE], [undefined, undefined]);
  }, { alg: "ES256" }));
