import assert from "node:assert/strict";
import { generateKeyPairSync } from "node:crypto";
import { reportFailure } from "../../lib/cli/report.ts";
import { DomainError, keyUnreadable, storageUnavailable } from "../../lib/base/errors.ts";
import { SECRET } from "../support.ts";
import { capture } from "./captured.ts";
import { withWorkplace } from "./workplace.ts";

Deno.test("keys list, plan, rotate, revoke and export tell and do what they say", async () => {
  await withWorkplace(async (workplace) => {
    const [first, next, expired] = await workplace.keys();
    assert.deepEqual([first!.state, next!.state, expired!.state], [
      "active",
      "next",
      "born expired",
    ]);
    assert.match(await workplace.run(["keys", "list"]), new RegExp(`\\*  ${first!.kid}  RS256`));
    const plan = await workplace.run(["keys", "plan", "--until", "40d"]);
    assert.match(plan, new RegExp(`${next!.kid}  RS256  signs`));
    assert.match(plan, /No token of key/);
    assert.equal(
      JSON.parse(await workplace.run(["keys", "plan", "--json"])).if_revoked_now.tokens,
      0,
    );

    assert.match((await workplace.refused(["keys", "rotate"])).message, /not published for long/);
    assert.match(await workplace.run(["keys", "rotate", "--force"]), new RegExp(next!.kid));
    const revoked = await workplace.run(["keys", "revoke", next!.kid]);
    assert.match(revoked, /is revoked/);
    assert.match(revoked, /It is new: verifiers may refuse/);
    assert.match(
      (await workplace.refused(["keys", "revoke", next!.kid])).message,
      /revoked already/,
    );
    assert.match((await workplace.refused(["keys", "revoke", "none"])).message, /^There is no key/);
    assert.match(
      await workplace.run(["keys", "export", first!.kid, "--format", "pem"]),
      /^-----BEGIN PUB/,
    );
    const exported = JSON.parse(await workplace.run(["keys", "export", first!.kid]));
    assert.equal(exported.kid, first!.kid);
    assert.ok(!("d" in exported));
  });
});

Deno.test("keys import adds a key once, to verify or to sign next", async () => {
  await withWorkplace(async (workplace) => {
    const { privateKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
    const file = `${workplace.directory}/old.pem`;
    await Deno.writeTextFile(file, String(privateKey.export({ type: "pkcs8", format: "pem" })));
    assert.match(await workplace.run(["keys", "import", file, "--kid", "old"]), /it only verifies/);
    assert.match(
      (await workplace.refused(["keys", "import", file])).message,
      /in the ring already/,
    );
    const again = ["keys", "import", file, "--kid", "old"];
    assert.match((await workplace.refused(again)).message, /^There is a key old/);
    assert.match((await workplace.refused(["keys", "import", "none"])).message, /cannot be read/);
    assert.match(await workplace.run(["keys", "list"]), /old .*ES256 +passive +never +never/);

    const ed25519 = generateKeyPairSync("ed25519").privateKey.export({ format: "jwk" });
    await Deno.writeTextFile(file, JSON.stringify({ ...ed25519, kid: "soon" }));
    assert.match(await workplace.run(["keys", "import", file, "--as", "next"]), /it signs from/);
    assert.equal((await workplace.keys()).find(({ kid }) => kid === "soon")!.state, "next");
  });
});

Deno.test("rekey takes a secret from the environment or a file, or makes one", async () => {
  await withWorkplace(async (workplace) => {
    const given = "the next secret of this database";
    assert.match(
      (await workplace.refused(["rekey"], { NEW_NOT_MY_KEY: SECRET })).message,
      /in use/,
    );
    assert.equal(await workplace.exitCode(["rekey"], { NEW_NOT_MY_KEY: "short" }), 78);
    const missing = await workplace.refused(["rekey", "--secret-file", "none"]);
    assert.match(missing.message, /does not exist/);
    const both = await workplace.exitCode(["rekey", "--secret-file", "x"], {
      NEW_NOT_MY_KEY: given,
    });
    assert.equal(both, 2);

    assert.match(await workplace.run(["rekey"], { NEW_NOT_MY_KEY: given }), /3 keys are sealed/);
    assert.equal(await workplace.exitCode(["keys", "list"]), 78);
    const file = `${workplace.directory}/secret`;
    await Deno.writeTextFile(file, `${SECRET}\n`);
    await workplace.run(["rekey", "--secret-file", file], { NOT_MY_KEY: given });
    assert.equal((await workplace.keys()).length, 3);

    assert.match(await workplace.run(["rekey"]), /without NOT_MY_KEY/);
    const kept = { NOT_MY_KEY: undefined, NOT_MY_KEY_FILE: `${workplace.directory}/db.key` };
    assert.equal(JSON.parse(await workplace.run(["keys", "list", "--json"], kept)).length, 3);
  });
});

Deno.test("users and logs manage the accounts and show what they did", async () => {
  await withWorkplace(async (workplace) => {
    const added = await workplace.run(["users", "add", "alice", "--email", "alice@example.com"]);
    assert.match(added, /[0-9a-f-]{36}$/);
    const again = ["users", "add", "ALICE", "--email", "a@example.com"];
    assert.match((await workplace.refused(again)).message, /is taken/);
    assert.equal(
      await workplace.exitCode(["users", "add", "a b", "--email", "x@y.z"]),
      2,
    );
    await workplace.run(["users", "disable", "alice"]);
    assert.match(await workplace.run(["users", "list"]), /alice .*disabled/);
    await workplace.run(["users", "enable", "alice"]);
    const [alice] = JSON.parse(await workplace.run(["users", "list", "--json"]));
    assert.equal(alice.state, "enabled");
    assert.match(await workplace.run(["users", "reset-password", "alice"]), /[0-9a-f-]{36}$/);
    assert.match(
      (await workplace.refused(["users", "disable", "bob"])).message,
      /^There is no user/,
    );

    await workplace.withStorage(async (storage) => {
      await storage.recordAuthentication({ ip: "192.0.2.1", at: Date.now(), user: null });
    });
    assert.match(await workplace.run(["logs", "--since", "1h"]), /192\.0\.2\.1 +\(refused\)/);
    assert.equal(JSON.parse(await workplace.run(["logs", "--json"])).username, null);
  });
});

Deno.test("doctor finds nothing wrong with a sound database, and each thing that is", async () => {
  await withWorkplace(async (workplace) => {
    const sound = await workplace.findings();
    assert.equal(sound.issuer, "warning");
    const others = Object.entries(sound).filter(([check]) => check !== "issuer");
    assert.deepEqual([...new Set(others.map(([, status]) => status))], ["ok"]);
    assert.match(await workplace.run(["doctor"]), /ok +schedule: key \d+ signs until/);

    assert.equal((await workplace.findings({ TRUSTED_PROXIES: "0.0.0.0/0" })).proxies, "problem");
    assert.equal((await workplace.findings({ TRUSTED_PROXIES: "10.0.0.1" })).proxies, "ok");
    assert.equal((await workplace.findings({ HOST: "0.0.0.0" })).proxies, "warning");
    assert.equal(
      (await workplace.findings({ NOT_MY_KEY: "another secret, long" })).secret,
      "problem",
    );
    const { path } = workplace;
    await Deno.chmod(path, 0o644);
    assert.equal((await workplace.findings())["database file"], "problem");
    await Deno.chmod(path, 0o600);

    await workplace.withStorage(async (storage) => {
      const row = { ip: "10.0.0.9", at: Date.now() + 900_000, user: null };
      for (let count = 0; count < 20; count++) await storage.recordAuthentication(row);
    });
    const warned = await workplace.findings();
    assert.deepEqual([warned.clock, warned.proxies], ["problem", "warning"]);
    const nowhere = await workplace.findings({ DATABASE: `${workplace.directory}/none/db` });
    assert.deepEqual([nowhere.database, nowhere.disk], ["problem", "problem"]);
    await Deno.writeTextFile(path, "garbage that is no database");
    assert.equal((await workplace.findings()).database, "problem");
  });
});

Deno.test("doctor and healthcheck ask the server", async () => {
  await withWorkplace(async (workplace) => {
    let text = workplace.published;
    let status = 200;
    await using server = Deno.serve(
      { hostname: "127.0.0.1", port: 0, onListen() {} },
      () => new Response(text, { status }),
    );
    const PORT = String(server.addr.port);
    const ISSUER = `http://127.0.0.1:${PORT}/`;
    assert.equal((await workplace.findings({ ISSUER })).issuer, "ok");
    for (const HOST of ["127.0.0.1", "0.0.0.0"]) {
      assert.equal(await workplace.run(["healthcheck"], { HOST, PORT }), "");
    }
    text = '{"keys":[]}';
    assert.equal((await workplace.findings({ ISSUER })).issuer, "problem");
    status = 503;
    assert.match((await workplace.refused(["healthcheck"], { PORT })).message, /HTTP 503/);
    await server.shutdown();
    assert.match((await workplace.refused(["healthcheck"], { PORT })).message, /does not answer/);
  });
});

Deno.test("backup writes a copy once, and says why it cannot", async () => {
  await withWorkplace(async (workplace) => {
    const file = `${workplace.directory}/copy`;
    assert.match(await workplace.run(["backup", file]), /is a backup of \d+ bytes/);
    assert.match((await workplace.refused(["backup", file])).message, /exists already/);
    const nowhere = ["backup", `${workplace.directory}/none/copy`];
    assert.match((await workplace.refused(nowhere)).message, /cannot be written/);
    assert.equal((await Deno.stat(file)).mode! & 0o777, 0o600);
  });
});

Deno.test("reportFailure() gives every failure its exit code, and says it", async () => {
  const failures: [unknown, number, RegExp][] = [
    [
      new DomainError("usage", "Usage", { hints: ["try this"] }),
      2,
      /error: usage\n.*hint: try this/,
    ],
    [keyUnreadable(5, "it was altered"), 78, /error: row 5 .*it was altered/],
    [storageUnavailable("locked"), 1, /error: the database is locked/],
    [new TypeError("a bug"), 1, /error: unexpected: TypeError: a bug/],
    ["not even an error", 1, /error: unexpected: not even an error/],
  ];
  for (const [failure, code, words] of failures) {
    const { stderr, stdout } = await capture(() => {
      assert.equal(reportFailure(failure), code);
      return Promise.resolve();
    });
    assert.match(stderr, words);
    assert.equal(stdout, "");
  }
});
