import assert from "node:assert/strict";
import { openLimits } from "../../lib/server/limits.ts";
import { ignore, inForce, withValkey } from "../limits/valkey/valkeys.ts";
import { load } from "../server/loaded.ts";
import { json, makeApp, recordingLog } from "../support.ts";

const ROUTES = ["/auth", "/register", "/token", "/introspect", "/password"];

Deno.test({
  name:
    "Two apps over one limit admit together what one admits alone, and refuse all when they must share and cannot",
  ignore,
  fn: () =>
    withValkey(async (server) => {
      const config = load({
        REDIS_URL: server.url,
        RATE_LIMIT: "3",
        RATE_WINDOW: "1h",
        RATE_LIMIT_STRICT: "on",
      });
      const limits = [await openLimits(config, recordingLog().log)];
      limits.push(await openLimits(config, recordingLog().log));
      const apps = await Promise.all(
        limits.map(({ requests }) => makeApp({ app: { limiter: requests } })),
      );
      for (const { sharing } of limits) {
        await sharing!.start();
        await inForce(sharing!);
      }
      const answers: Response[] = [];
      for (let sent = 0; sent < 6; sent++) {
        answers.push(await apps[sent % 2]!.send("/auth", json({ username: "a", password: "b" })));
      }
      assert.deepEqual(answers.map(({ status }) => status), [401, 401, 401, 429, 429, 429]);
      const [first, last] = [answers[0]!.headers, answers[5]!.headers];
      assert.equal(first.get("ratelimit-policy"), '"auth";q=3;w=3600');
      assert.equal(first.get("ratelimit"), '"auth";r=2;t=3600');
      assert.match(last.get("retry-after")!, /^3(600|59\d)$/);
      await server.stop();
      for (const path of ROUTES) {
        const answer = await apps[0]!.send(path, { method: "POST" });
        assert.deepEqual([answer.status, answer.headers.get("retry-after")], [503, "1"]);
        assert.equal((await answer.json()).error, "overloaded");
      }
      assert.equal((await apps[0]!.send("/.well-known/jwks.json")).status, 200);
      for (const { sharing } of limits) await sharing!.stop();
    }),
});
