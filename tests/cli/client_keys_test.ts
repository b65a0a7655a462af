import assert from "node:assert/strict";
import { calculateJwkThumbprint, exportJWK, exportPKCS8, exportSPKI, generateKeyPair } from "jose";
import type { JWK } from "jose";
import { importVerificationKey } from "../../lib/tokens/verification_key.ts";
import { withWorkplace, type Workplace } from "./workplace.ts";

const { publicKey, privateKey } = await generateKeyPair("ES256", { extractable: true });
const PUBLIC = await exportJWK(publicKey);
const PRIVATE = await exportJWK(privateKey);

async function withAlice(body: (workplace: Workplace) => Promise<void>): Promise<void> {
  await withWorkplace(async (workplace) => {
    await workplace.run(["users", "add", "alice", "--email", "alice@example.com"]);
    await body(workplace);
  }, { alg: "ES256" });
}

/** The command that adds a key that stands in a file. */
async function adding({ directory }: Workplace, content: unknown, ...options: string[]) {
  const file = `${directory}/client-key`;
  await Deno.writeTextFile(file, typeof content === "string" ? content : JSON.stringify(content));
  return ["users", "add-key", "alice", file, ...options];
}

/** The keys of alice as they are stored. */
function stored(workplace: Workplace): JWK[] {
  const sql = "SELECT value FROM client_credentials WHERE type = 'key' ORDER BY id";
  return workplace.tamper((database) => database.all<{ value: string }>(sql))
    .map(({ value }) => JSON.parse(value));
}

async function shownKeys(workplace: Workplace): Promise<{ kid: string; alg: string }[]> {
  const { credentials } = JSON.parse(await workplace.run(["users", "show", "alice", "--json"]));
  return credentials.slice(1);
}

Deno.test("users add-key stores the public members of a JWK, its kid and its alg, and nothing else", async () => {
  await withAlice(async (workplace) => {
    const given = {
      ...PUBLIC,
      kid: "2026-11",
      key_ops: ["verify"],
      x5u: "https://x.example",
      a: 1,
    };
    const text = await workplace.run(await adding(workplace, given));
    assert.equal(text, "User alice may authenticate with the key 2026-11 (ES256)");
    assert.deepEqual(stored(workplace), [{ ...PUBLIC, alg: "ES256", use: "sig", kid: "2026-11" }]);
    const [shown] = await shownKeys(workplace);
    assert.deepEqual([shown!.kid, shown!.alg], ["2026-11", "ES256"]);
  });
});

Deno.test("users add-key reads PEM of every key type, and stores what verifies", async () => {
  await withAlice(async (workplace) => {
    for (const alg of ["RS256", "ES256", "ES384", "ES512", "EdDSA"]) {
      const { publicKey } = await generateKeyPair(alg, { extractable: true });
      await workplace.run(await adding(workplace, await exportSPKI(publicKey)));
      const key = stored(workplace).at(-1)!;
      assert.equal((await importVerificationKey(key)).alg, alg);
      const { kty, crv, n, e, x, y } = await exportJWK(publicKey);
      const members = JSON.parse(JSON.stringify({ kty, crv, n, e, x, y }));
      assert.deepEqual(key, { ...members, alg, use: "sig", kid: key.kid });
    }
  });
});

Deno.test("users add-key takes the kid of the option, else of the JWK, else the thumbprint", async () => {
  await withAlice(async (workplace) => {
    const remove = () => {
      const { kid } = stored(workplace)[0]!;
      return workplace.run(["users", "remove-key", "alice", kid!]);
    };
    const thumbprint = (await calculateJwkThumbprint(PUBLIC)).replace(/^-/, "_");
    const cases: [unknown, string[], string][] = [
      [{ ...PUBLIC, kid: "own" }, ["--kid", "-other"], "-other"],
      [{ ...PUBLIC, kid: "own" }, [], "own"],
      [{ ...PUBLIC, kid: "ü" }, ["--kid", "u"], "u"],
      [PUBLIC, [], thumbprint],
      [await exportSPKI(publicKey), [], thumbprint],
    ];
    for (const [content, options, kid] of cases) {
      await workplace.run(await adding(workplace, content, ...options));
      assert.deepEqual(stored(workplace).map((key) => key.kid), [kid]);
      await remove();
    }
  });
});

Deno.test("users add-key puts _ for a - in front of a thumbprint", async () => {
  await withAlice(async (workplace) => {
    let thumbprint = "";
    let jwk: JWK = {};
    while (!thumbprint.startsWith("-")) { // one in 64
      jwk = await exportJWK((await generateKeyPair("ES256", { extractable: true })).publicKey);
      thumbprint = await calculateJwkThumbprint(jwk);
    }
    await workplace.run(await adding(workplace, jwk));
    assert.equal(stored(workplace)[0]!.kid, `_${thumbprint.slice(1)}`);
  });
});

Deno.test("users add-key takes the algorithm of the option or of the JWK, and no contradiction", async () => {
  await withAlice(async (workplace) => {
    const { publicKey } = await generateKeyPair("RS256", { extractable: true });
    const rsa = await exportJWK(publicKey);
    await workplace.run(await adding(workplace, rsa, "--alg", "PS384", "--kid", "a"));
    await workplace.run(["users", "remove-key", "alice", "a"]);
    await workplace.run(await adding(workplace, { ...rsa, alg: "PS256" }, "--kid", "b"));
    assert.deepEqual((await shownKeys(workplace)).map(({ alg }) => alg), ["PS256"]);
    await workplace.run(["users", "remove-key", "alice", "b"]);
    for (const [key, alg] of [[{ ...rsa, alg: "PS256" }, "RS256"], [PUBLIC, "RS256"]] as const) {
      const { code } = await workplace.refused(await adding(workplace, key, "--alg", alg));
      assert.equal(code, "key_refused");
    }
    assert.equal(await workplace.exitCode(await adding(workplace, rsa, "--alg", "HS256")), 2);
    assert.deepEqual(stored(workplace), []);
  });
});

Deno.test("users add-key refuses private keys in words that quote nothing, and tells how to export the public half", async () => {
  await withAlice(async (workplace) => {
    const pem = await exportPKCS8(privateKey);
    const cases: [unknown, RegExp][] = [
      [PRIVATE, /hint: export the public half: jq 'del\(\.d, .*FILE > PUBLIC/],
      [{ ...PUBLIC, d: "" }, /hint: export the public half: jq/],
      [pem, /hint: export the public half: openssl pkey -in FILE -pubout/],
      [`${await exportSPKI(publicKey)}\n${pem}`, /openssl pkey -in FILE -pubout/],
    ];
    for (const [content, hint] of cases) {
      const args = await adding(workplace, content);
      const { stdout, stderr } = await workplace.execute(args);
      assert.equal(stdout, "");
      assert.match(stderr, /^jwks-server: error: the key is refused: it is a private key\n/);
      assert.match(stderr, hint);
      const secrets = [PRIVATE.d!, ...pem.split("\n").slice(1, -2)];
      assert.ok(!secrets.some((secret) => stderr.includes(secret)), stderr);
      assert.equal(await workplace.exitCode(args), 1);
    }
    assert.deepEqual(stored(workplace), []);
  });
});

Deno.test("users add-key refuses what is no public key that may verify, and stores nothing", async () => {
  await withAlice(async (workplace) => {
    const spki = await exportSPKI(publicKey);
    const refusals: [unknown, RegExp][] = [
      [{ kty: "oct", k: "AAAA" }, /symmetric key/],
      [{ ...PUBLIC, k: "AAAA" }, /symmetric key/],
      [{ keys: [PUBLIC] }, /JWK set/],
      ["{", /not a JWK/],
      ["", /neither a JWK nor PEM/],
      ["[]", /neither a JWK nor PEM/],
      [spki.replace("-----END", "----END"), /neither a JWK nor PEM/],
      [spki.replace(/\n[^-]+/, "\nAAAA\n"), /damaged/],
      [spki + spki, /more than one/],
      ["-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----", /certificate/],
      [{ ...PUBLIC, use: "enc" }, /not a JWK for verifying/],
      [{ ...PUBLIC, key_ops: ["sign"] }, /not a JWK for verifying/],
      [{ ...PUBLIC, y: PUBLIC.x }, /damaged/],
      [{ ...PUBLIC, crv: "secp256k1" }, /not supported/],
      [{ ...PUBLIC, kid: 5 }, /kid is not 1 to 128/],
      [{ ...PUBLIC, kid: "\x1b[2J" }, /kid is not 1 to 128/],
      [{ ...PUBLIC, kid: "" }, /kid is not 1 to 128/],
    ];
    for (const [content, message] of refusals) {
      const refusal = await workplace.refused(await adding(workplace, content));
      assert.equal(refusal.code, "key_refused", String(message));
      assert.match(refusal.message, message);
      assert.match(refusal.message, /^The key is refused: (?!the key)/);
    }
    const large = await workplace.refused(await adding(workplace, " ".repeat(65_537)));
    assert.match(large.message, /more than 65536 bytes/);
    assert.deepEqual(stored(workplace), []);
  });
});

Deno.test("users add-key refuses a kid and a key that the user has already, with exit code 1", async () => {
  await withAlice(async (workplace) => {
    await workplace.run(await adding(workplace, PUBLIC, "--kid", "a"));
    const other = await exportJWK(
      (await generateKeyPair("ES256", { extractable: true })).publicKey,
    );
    for (const [key, kid] of [[PUBLIC, "b"], [other, "a"]] as const) {
      const args = await adding(workplace, key, "--kid", kid);
      assert.equal((await workplace.refused(args)).code, "conflict");
      assert.equal(await workplace.exitCode(args), 1);
    }
    assert.deepEqual(stored(workplace).map(({ kid, x }) => [kid, x]), [["a", PUBLIC.x]]);
    await workplace.run(["users", "add", "bob", "--email", "bob@example.com"]);
    await workplace.run((await adding(workplace, PUBLIC, "--kid", "a")).with(2, "bob"));
    assert.equal(stored(workplace).length, 2);
  });
});

Deno.test("users remove-key removes the key of that kid alone, also one that looks like an option", async () => {
  await withAlice(async (workplace) => {
    const kids = ["-h", "--json", "-abc", "plain"];
    for (const kid of kids) {
      const { publicKey } = await generateKeyPair("EdDSA", { extractable: true });
      await workplace.run(await adding(workplace, await exportSPKI(publicKey), "--kid", kid));
    }
    for (const kid of kids) {
      const before = await shownKeys(workplace);
      const text = await workplace.run(["users", "remove-key", "alice", kid]);
      assert.equal(text, `User alice may not authenticate with the key ${kid} any more`);
      assert.deepEqual(await shownKeys(workplace), before.filter((key) => key.kid !== kid));
    }
    const args = ["users", "remove-key", "alice", "plain"];
    assert.equal((await workplace.refused(args)).code, "not_found");
    assert.equal(await workplace.exitCode(args), 1);
  });
});
