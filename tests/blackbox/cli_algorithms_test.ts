import assert from "node:assert/strict";
import type { JWK } from "jose";
import {
  assertRefusal,
  done,
  kidOf,
  listKeys,
  only,
  runtimeVersion,
  startSettled,
  verify,
  WITH_SECRET,
} from "./commands.ts";
import { Directory, Server } from "./harness.ts";

const RSA = { kty: "RSA", members: ["e", "n"] };
const EC = { kty: "EC", members: ["crv", "x", "y"] };
const ML_DSA = { kty: "AKP", members: ["pub"] };

/** Every algorithm with the members of its public keys (RFC 7518 §6, RFC 8037 §2, RFC 9964 §3). */
const ALGORITHMS: Record<string, { kty: string; members: string[]; crv?: string }> = {
  RS256: RSA,
  RS384: RSA,
  RS512: RSA,
  PS256: RSA,
  PS384: RSA,
  PS512: RSA,
  ES256: { ...EC, crv: "P-256" },
  ES384: { ...EC, crv: "P-384" },
  ES512: { ...EC, crv: "P-521" },
  EdDSA: { kty: "OKP", members: ["crv", "x"], crv: "Ed25519" },
  "ML-DSA-44": ML_DSA,
  "ML-DSA-65": ML_DSA,
  "ML-DSA-87": ML_DSA,
};

/** What the runtime of the program has no implementation of. */
const [major, minor] = await runtimeVersion();
const lacking = major === 2 && minor < 5 ? ["ES512", "ML-DSA-44", "ML-DSA-65", "ML-DSA-87"] : [];
const supported = Object.keys(ALGORITHMS).filter((alg) => !lacking.includes(alg));

function assertPublicKey(key: JWK, alg: string): void {
  const { kty, members, crv } = ALGORITHMS[alg]!;
  assert.deepEqual(Object.keys(key).sort(), ["alg", "kid", "kty", "use", ...members].sort());
  assert.deepEqual([key.kty, key.alg, key.use, key.crv], [kty, alg, "sig", crv]);
}

for (const alg of supported) {
  Deno.test(`with SIGNING_ALG=${alg} tokens verify, and the JWKS has the right members`, async () => {
    await using server = await Server.start({ env: { ...WITH_SECRET, SIGNING_ALG: alg } });
    const token = await server.token(await server.register());
    assert.equal(JSON.parse(atob(token.split(".")[0]!)).alg, alg);
    assert.equal(await verify(server, token), kidOf(token));
    for (const key of (await server.jwks()).json.keys) assertPublicKey(key, alg);
  });
}

for (const alg of lacking) {
  Deno.test(`SIGNING_ALG=${alg} is refused with 78: this runtime lacks it`, async () => {
    await using directory = new Directory();
    const env = { PORT: "0", SIGNING_ALG: alg };
    assertRefusal(
      await directory.run([], { env }),
      78,
      new RegExp(`SIGNING_ALG is ${alg}.* lacks`),
    );
    assert.deepEqual([...(await directory.files()).keys()], []);
  });
}

for (const alg of ["HS256", "none", "rs256", "EdDSA "]) {
  Deno.test(`SIGNING_ALG=${JSON.stringify(alg)} is refused with what is allowed`, async () => {
    await using directory = new Directory();
    const outcome = await directory.run([], { env: { PORT: "0", SIGNING_ALG: alg } });
    assertRefusal(outcome, 78, /the configuration has a problem/);
    assert.match(outcome.stderr, /hint: SIGNING_ALG is .* allowed is one of RS256, .*EdDSA/);
  });
}

Deno.test("another SIGNING_ALG takes effect at the next key; all keys stand in one JWKS", async () => {
  await using directory = new Directory();
  const signs = async (server: Server) => {
    const token = await server.token(user);
    return { token, alg: JSON.parse(atob(token.split(".")[0]!)).alg };
  };
  const first = await startSettled({ directory, env: { SIGNING_ALG: "RS256" } });
  const user = await first.register();
  const tokens = [await first.token(user)];
  await first.stop();

  const env = { ...WITH_SECRET, SIGNING_ALG: "ES256" };
  const second = await Server.start({ directory, env });
  assert.equal((await signs(second)).alg, "RS256"); // what is published goes on
  await done(directory, ["keys", "rotate", "--force"]); // by the server's policy, not the shell's
  assert.equal((await signs(second)).alg, "RS256"); // the next key was made before the change
  assert.equal(only(await listKeys(directory), "next").alg, "ES256");
  await second.stop();

  await using third = await Server.start({ directory, env: { ...env, SIGNING_ALG: "EdDSA" } });
  const { stderr } = await directory.run(["keys", "rotate", "--force"], { env });
  assert.match(stderr, /^jwks-server: warning: .*SIGNING_ALG is ES256 here and EdDSA there/);
  const { token, alg } = await signs(third);
  assert.equal(alg, "ES256");
  tokens.push(token);
  await done(directory, ["keys", "rotate", "--force"]);
  tokens.push((await signs(third)).token);

  const listed = await listKeys(directory);
  for (const key of (await third.jwks()).json.keys) {
    assertPublicKey(key, listed.find(({ kid }) => kid === key.kid)!.alg);
  }
  const algs = listed.filter(({ state }) => state !== "born expired").map(({ alg }) => alg);
  assert.deepEqual(algs, ["RS256", "RS256", "ES256", "EdDSA", "EdDSA"]);
  for (const token of tokens) assert.equal(await verify(third, token), kidOf(token));
});

Deno.test("keys export gives PEM for every type of key", async () => {
  const types = ["ES384", "ES512", "EdDSA", "ML-DSA-44"];
  for (const alg of types.filter((alg) => supported.includes(alg))) {
    await using server = await Server.start({ env: { ...WITH_SECRET, SIGNING_ALG: alg } });
    const [{ kid }] = (await server.jwks()).json.keys;
    const pem = await done(server.directory, ["keys", "export", kid, "--format", "pem"], {
      env: { ...WITH_SECRET, SIGNING_ALG: alg },
    });
    assert.match(pem, /^-----BEGIN PUBLIC KEY-----\n[\w+/=\n]+\n-----END PUBLIC KEY-----\n$/);
  }
});
