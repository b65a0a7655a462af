import assert from "node:assert/strict";
import { addHugeRow, addLogRow, alterRow, damageTable, HUGE } from "./damage.ts";
import { withWorkplace, type Workplace } from "./workplace.ts";

/** Revokes the signer; gives what was said, and checks that it has gone and another one signs. */
async function revokeSigner(workplace: Workplace) {
  const { kid } = (await workplace.keys()).find(({ signer }) => signer)!;
  const { stdout, stderr, error } = await workplace.execute(["keys", "revoke", kid]);
  assert.equal(error, undefined);
  const keys = await workplace.keys();
  assert.equal(keys.find((key) => key.kid === kid)?.state, "revoked");
  assert.equal(keys.filter(({ signer }) => signer).length, 1);
  return { kid, stdout, stderr };
}

Deno.test("keys revoke works although another row was altered, which it names", async () => {
  await withWorkplace(async (workplace) => {
    const [, next] = await workplace.keys();
    workplace.tamper((database) => alterRow(database, next!.kid));
    const { stdout, stderr } = await revokeSigner(workplace);
    assert.match(stdout, /is revoked/);
    assert.match(stderr, new RegExp(`warning: a stored key is refused.*${next!.kid}`));
  }, { alg: "ES256" });
});

Deno.test("keys revoke works although a row holds a number larger than any key's, which it names", async () => {
  await withWorkplace(async (workplace) => {
    workplace.tamper(addHugeRow);
    const { stderr } = await revokeSigner(workplace);
    assert.match(stderr, new RegExp(HUGE));
    assert.match(await workplace.run(["keys", "revoke", HUGE]), /is revoked/);
    const { stderr: after } = await workplace.execute(["keys", "list"]);
    assert.equal(after, "");
  }, { alg: "ES256" });
});

Deno.test("keys revoke works although the log holds timestamps of another form, and names the row", async () => {
  for (const timestamp of ["2999-01-01T00:00:00Z", "soon", "99999-01-01 00:00:00"]) {
    await withWorkplace(async (workplace) => {
      const id = workplace.tamper((database) => addLogRow(database, timestamp));
      const { stdout, kid } = await revokeSigner(workplace);
      assert.match(stdout, new RegExp(`tokens of key ${kid} may be more: row ${id} of auth_logs`));
    }, { alg: "ES256" });
  }
});

Deno.test("keys revoke never says that no token is valid on the word of a time that is none", async () => {
  await withWorkplace(async (workplace) => {
    await workplace.run(["users", "add", "alice", "--email", "alice@example.com"]);
    workplace.tamper((database) => {
      const id = addLogRow(database, "2999-13-01 00:00:00");
      database.run("UPDATE auth_logs SET user_id = 1 WHERE id = ?", id);
    });
    const { stdout } = await revokeSigner(workplace);
    assert.doesNotMatch(stdout, /No token of key/);
    assert.match(
      stdout,
      /makes at most 1 token unverifiable\n.*may be more: row 1 of auth_logs has a timestamp/,
    );
  }, { alg: "ES256" });
});

Deno.test("keys revoke works although the log cannot be read, and says that", async () => {
  await withWorkplace(async (workplace) => {
    workplace.tamper((database) => addLogRow(database, "2999-01-01 00:00:00"));
    await damageTable(workplace, "auth_logs");
    const { stdout, kid } = await revokeSigner(workplace);
    assert.match(stdout, new RegExp(`tokens of key ${kid} cannot be counted: auth_logs`));
  }, { alg: "ES256" });
});

Deno.test("keys revoke deletes a row that was altered, and another key signs", async () => {
  await withWorkplace(async (workplace) => {
    const { kid } = (await workplace.keys()).find(({ signer }) => signer)!;
    workplace.tamper((database) => alterRow(database, kid));
    assert.match(await workplace.run(["keys", "revoke", kid]), /is revoked/);
    const count = workplace.tamper((database) =>
      database.all("SELECT kid FROM keys WHERE kid = ?", Number(kid)).length
    );
    assert.equal(count, 0);
    assert.equal((await workplace.keys()).filter(({ signer }) => signer).length, 1);
  }, { alg: "ES256" });
});

Deno.test("keys revoke tells for how long caches may trust the key by what the server runs under", async () => {
  await withWorkplace(async (workplace) => {
    const { kid } = (await workplace.keys()).find(({ signer }) => signer)!;
    const said = await workplace.run(["keys", "revoke", kid], { JWKS_STALE_IF_ERROR: "2h" });
    assert.match(said, /300 seconds if they heed max-age, 660 if they use what is stale/);
  }, { alg: "ES256", staleIfError: 300 });
});

Deno.test("keys revoke and export take a kid that looks like an option", async () => {
  const kids = ["-", "-x", "--weird", "-h", "--json", "-1", "---"];
  await withWorkplace(async (workplace) => {
    for (const kid of kids) {
      const { privateKey } = await crypto.subtle.generateKey(
        { name: "ECDSA", namedCurve: "P-256" },
        true,
        ["sign", "verify"],
      );
      const jwk = await crypto.subtle.exportKey("jwk", privateKey);
      const file = `${workplace.directory}/key.jwk`;
      await Deno.writeTextFile(file, JSON.stringify({ ...jwk, kid }));
      await workplace.run(["keys", "import", file]);
      assert.equal(JSON.parse(await workplace.run(["keys", "export", kid])).kid, kid);
      assert.match(await workplace.run(["keys", "export", "--format", "pem", kid]), /^-----BEGIN/);
      assert.match(await workplace.run(["keys", "revoke", kid]), /is revoked/);
      const listed = (await workplace.keys()).find((key) => key.kid === kid);
      assert.equal(listed?.state, "revoked", kid);
    }
  }, { alg: "ES256" });
});
