import assert from "node:assert/strict";
import { createRemoteJWKSet, jwtVerify } from "jose";
import { Directory, Server } from "./harness.ts";
import { keyRows, settled } from "./keys.ts";

for (const signal of ["SIGTERM", "SIGKILL"] as const) {
  Deno.test(`users, keys, schedule and tokens survive a ${signal}`, async () => {
    await using directory = new Directory();
    const first = await Server.start({ directory });
    await settled(first);
    const user = await first.register();
    const token = await first.token(user);
    const before = await first.jwks();
    const rows = keyRows(directory);
    const secret = await Deno.readTextFile(`${directory.database}.key`);
    await first.stop(signal);
    assert.equal((await directory.run(["users", "list"])).code, 0);

    await using second = await Server.start({ directory });
    const after = await second.jwks();
    const isUnclean = second.stderr.includes("came to no clean end");
    assert.equal(isUnclean, signal === "SIGKILL", "the log says how the last one ended");
    assert.deepEqual(after.text, before.text);
    assert.equal(after.headers.get("etag"), before.headers.get("etag"));
    const { payload } = await jwtVerify(
      token,
      createRemoteJWKSet(new URL(`${second.url}/.well-known/jwks.json`)),
    );
    assert.equal(payload.sub, user.username);
    await second.token(user);
    const again = await second.post("/register", user);
    assert.equal(again.status, 409);
    assert.deepEqual(keyRows(directory), rows);
    assert.equal(await Deno.readTextFile(`${directory.database}.key`), secret);
    assert.equal(directory.query("SELECT id FROM auth_logs WHERE user_id = 1").length, 2);
  });
}
