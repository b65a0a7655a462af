import assert from "node:assert/strict";
import { withTempDir } from "../support.ts";
import { load, problemsOf } from "./loaded.ts";

const URL = "rediss://limits:hunter2hunter2@cache.example:6380/2";
const SERVER = {
  host: "cache.example",
  port: 6380,
  user: "limits",
  password: "hunter2hunter2",
  database: 2,
  isTls: true,
};

Deno.test("loadConfig() lets each server count alone unless it is told where they share", () => {
  assert.equal(load().sharedLimit, undefined);
  assert.equal(load({ REDIS_URL: "", REDIS_URL_FILE: "" }).sharedLimit, undefined);
});

Deno.test("loadConfig() takes where servers share from REDIS_URL, or from the file of REDIS_URL_FILE", async () => {
  await withTempDir(async (directory) => {
    const file = `${directory}/url`;
    await Deno.writeTextFile(file, `${URL}\n`);
    for (const variables of [{ REDIS_URL: URL }, { REDIS_URL_FILE: file }]) {
      const alone = { location: SERVER, caFile: undefined, isStrict: false };
      assert.deepEqual(load(variables as Record<string, string>).sharedLimit, alone);
      const more = { RATE_LIMIT_STRICT: "on", REDIS_CA_FILE: "ca.pem", ...variables };
      const strict = { location: SERVER, caFile: "ca.pem", isStrict: true };
      assert.deepEqual(load(more).sharedLimit, strict);
    }
  });
});

Deno.test("loadConfig() refuses a wrong REDIS_URL, wherever it stands, and quotes nothing of it", async () => {
  await withTempDir(async (directory) => {
    const file = `${directory}/url`;
    for (const url of [`${URL}?x=1`, URL.replace("//", "/"), ":hunter2hunter2@cache.example"]) {
      await Deno.writeTextFile(file, url);
      const refused = {
        "REDIS_URL is a value that is not shown; allowed is a URL redis://": { REDIS_URL: url },
        "the value in the file of REDIS_URL_FILE is a value that is not shown; allowed is a URL": {
          REDIS_URL_FILE: file,
        },
      };
      for (const [start, variables] of Object.entries(refused)) {
        const [problem, ...others] = problemsOf({ ...variables, RATE_LIMIT_STRICT: "on" });
        assert.ok(problem!.startsWith(start), problem!);
        assert.doesNotMatch(problem!, /hunter2/);
        assert.deepEqual(others, []);
      }
    }
  });
});

Deno.test("loadConfig() takes what is only for servers that share only with where they do", () => {
  const strict = "RATE_LIMIT_STRICT is on; allowed is that only with REDIS_URL or REDIS_URL_FILE";
  assert.deepEqual(problemsOf({ RATE_LIMIT_STRICT: "on" }), [strict]);
  const ca = "REDIS_CA_FILE is set; allowed is that only with a URL of rediss://";
  assert.deepEqual(problemsOf({ REDIS_CA_FILE: "ca.pem" }), [ca]);
  assert.deepEqual(problemsOf({ REDIS_CA_FILE: "ca.pem", REDIS_URL: "redis://cache.example" }), [
    ca,
  ]);
});

Deno.test("loadConfig() takes one of REDIS_URL and REDIS_URL_FILE", () => {
  assert.deepEqual(problemsOf({ REDIS_URL: URL, REDIS_URL_FILE: "url" }), [
    "REDIS_URL and REDIS_URL_FILE are both set; allowed is one of them",
  ]);
});
