import assert from "node:assert/strict";
import { storageUnavailable } from "../../lib/base/errors.ts";
import { decodePolicy, encodePolicy, type KeyPolicy } from "../../lib/keys/key_policy.ts";
import { KeyRing } from "../../lib/keys/key_ring.ts";
import type { Storage } from "../../lib/storage/storage.ts";
import { FakeClock, makeRing, openStorage, POLICY, ringParts, wrapStorage } from "../support.ts";
import { DAY, keyIn, linesWith, publishedKids } from "./rings.ts";

const FOLLOWS = "configured otherwise than the database's policy";
const OURS = { alg: "ES256" } as const;
const THEIRS = { alg: "EdDSA", expiredTokens: false, retention: 0 } as const;

async function storedPolicy(storage: Storage): Promise<KeyPolicy | undefined> {
  return decodePolicy((await storage.readKeys()).policy!);
}

Deno.test("KeyRing.open() writes its policy, and the one that opens later changes it and says so", async () => {
  const time = new FakeClock();
  const { storage, ring } = await makeRing({ time, policy: OURS });
  assert.deepEqual(await storedPolicy(storage), { ...POLICY, ...OURS });
  const later = await makeRing({ time, storage, policy: THEIRS });
  assert.deepEqual(await storedPolicy(storage), { ...POLICY, ...THEIRS });
  const [line] = linesWith(later.lines, "the policy of the database is changed");
  assert.match(line!, /SIGNING_ALG is EdDSA here and ES256 there/);
  assert.match(line!, /EXPIRED_TOKENS is off here and on there/);
  await ring.maintain();
  assert.deepEqual(ring.policy, { ...POLICY, ...THEIRS });
});

/** What else is new in the policy, and for how many rotations nobody was there. */
const ADOPTIONS: [how: string, prepublish: number, away: number][] = [
  ["after the keys that there are", POLICY.prepublish, 0],
  ["announced for longer than those sign", 2 * POLICY.rotation, 0],
  ["and the next key is not made yet", POLICY.prepublish, 1.5],
];

for (const [how, prepublish, away] of ADOPTIONS) {
  Deno.test(`KeyRing.open() says from when another algorithm signs, ${how}`, async () => {
    const time = new FakeClock();
    const { storage } = await makeRing({ time, policy: OURS });
    time.advance(away * POLICY.rotation);
    const policy = { ...THEIRS, rotation: 3 * POLICY.rotation, prepublish };
    const { ring, lines } = await makeRing({ time, storage, policy });
    const [line] = linesWith(lines, "the policy of the database is changed");
    const start = Date.parse(/"new_algorithm_signs_from":"([^"]+)"/.exec(line!)![1]!);
    const signerAt = async (at: number) => {
      while (time.now < at) {
        time.advance(Math.min(DAY, (at - time.now) / 1000));
        await ring.maintain();
      }
      return (await ring.signer()).alg;
    };
    assert.equal(await signerAt(start - 1000), "ES256");
    assert.equal(await signerAt(start), "EdDSA");
  });
}

Deno.test("KeyRing.open() says nothing of when another policy with the same algorithm signs", async () => {
  const { storage, time } = await makeRing({ policy: OURS });
  const { lines } = await makeRing({ time, storage, policy: { ...OURS, retention: 0 } });
  const [line] = linesWith(lines, "the policy of the database is changed");
  assert.doesNotMatch(line!, /signs_from/);
});

Deno.test("KeyRing.load() goes by the stored policy, writes nothing, and tells how it differs", async () => {
  const { storage, time } = await makeRing({ policy: OURS });
  const before = await storage.readKeys();
  const parts = await ringParts({ storage, time, policy: THEIRS });
  const ring = await KeyRing.load(parts);
  assert.deepEqual(ring.policy, { ...POLICY, ...OURS });
  assert.deepEqual(ring.policyDifferences, [
    "SIGNING_ALG is EdDSA here and ES256 there",
    "KEY_RETENTION is 0s here and 7d there",
    "EXPIRED_TOKENS is off here and on there",
  ]);
  const stating = await KeyRing.load({ ...parts, stated: new Set(["SIGNING_ALG"]) });
  assert.deepEqual(stating.policyDifferences, ["SIGNING_ALG is EdDSA here and ES256 there"]);
  assert.deepEqual(await storage.readKeys(), before);
  const alike = await KeyRing.load(await ringParts({ storage, time, policy: OURS }));
  assert.deepEqual(alike.policyDifferences, []);
});

Deno.test("KeyRing.load() makes keys of the stored policy's algorithm, and leaves the policy", async () => {
  const { storage, time } = await makeRing({ policy: OURS });
  const ring = await KeyRing.load(await ringParts({ storage, time, policy: THEIRS }));
  time.advance(POLICY.rotation);
  await ring.maintain();
  assert.equal(keyIn("next", ring, time).alg, "ES256");
  assert.ok((await ring.expiredSigner()).kid, "expired tokens are on there");
  assert.deepEqual(await storedPolicy(storage), { ...POLICY, ...OURS });
});

Deno.test("KeyRing.load() goes by its own policy on a database that has none yet", async () => {
  const storage = openStorage();
  const ring = await KeyRing.load(await ringParts({ storage, policy: THEIRS }));
  assert.deepEqual(ring.policy, { ...POLICY, ...THEIRS });
  assert.equal((await storage.readKeys()).policy, undefined);
});

/** Years of a first server and a second one, opened later over its database; or of one alone. */
async function countKeysMade(ours: Partial<KeyPolicy>, theirs: Partial<KeyPolicy>, both: boolean) {
  const time = new FakeClock();
  const first = await makeRing({ time, policy: ours });
  const second = await makeRing({ time, storage: first.storage, policy: theirs });
  for (let day = 0; day < 3 * 365; day += 5) {
    time.advance(5 * DAY);
    if (both) await first.ring.maintain();
    await second.ring.maintain();
    if (both) await first.ring.maintain();
  }
  await first.storage.close();
  const made = linesWith([...first.lines, ...second.lines], "a key was made").length;
  return { made, first, second };
}

for (
  const [name, ours, theirs] of [
    ["the algorithm", { alg: "ES256" }, { alg: "EdDSA" }],
    ["EXPIRED_TOKENS", {}, { expiredTokens: false }],
    ["JWKS_STALE_IF_ERROR", {}, { staleIfError: 60 }],
    ["EXPIRED_TOKENS, the other way", { expiredTokens: false }, {}],
    ["KEY_RETENTION", { retention: 100 * DAY }, { retention: 0 }],
    ["KEY_ROTATION", { rotation: 60 * DAY }, { rotation: 10 * DAY }],
  ] satisfies [string, Partial<KeyPolicy>, Partial<KeyPolicy>][]
) {
  Deno.test(`KeyRing of two processes that differ in ${name} do not fight over one database`, async () => {
    const alone = await countKeysMade(ours, theirs, false);
    const { made, first, second } = await countKeysMade(ours, theirs, true);
    assert.ok(made > 10);
    assert.equal(made, alone.made);
    assert.equal(linesWith(first.lines, FOLLOWS).length, 1, "it warns once");
    assert.equal(linesWith(second.lines, FOLLOWS).length, 0);
    assert.deepEqual(first.ring.policy, { ...POLICY, ...theirs });
    assert.deepEqual(
      first.ring.keys.map(({ kid, alg }) => [kid, alg]),
      second.ring.keys.map(({ kid, alg }) => [kid, alg]),
    );
  });
}

Deno.test("KeyRing keeps the policy in force when the stored one is none, and names it once", async () => {
  const { ring, storage, lines, time } = await makeRing({ policy: OURS });
  const inForce = ring.policy;
  const words = new TextDecoder().decode(encodePolicy(inForce));
  for (const junk of ["", "none", "{}", words.replace("ES256", "HS256")]) {
    await storage.writePolicy(new TextEncoder().encode(junk));
    await ring.maintain();
    await ring.maintain();
    assert.equal(ring.policy, inForce);
    assert.equal(linesWith(lines, "the one before stays in force").length, 1, junk);
    lines.length = 0;
  }
  time.advance(POLICY.rotation);
  await ring.maintain();
  assert.equal(keyIn("next", ring, time).alg, "ES256");
  const loaded = await KeyRing.load(await ringParts({ storage, time, policy: THEIRS }));
  assert.deepEqual(loaded.policy, { ...POLICY, ...THEIRS }, "its own, when there is no other");
});

Deno.test("KeyRing.open() serves a storage that refuses writes, and adopts its policy later", async () => {
  const { storage, time } = await makeRing({ policy: OURS });
  let isReadOnly = true;
  const write = <Result>(work: () => Promise<Result>): Promise<Result> =>
    isReadOnly ? Promise.reject(storageUnavailable("read-only")) : work();
  const guarded = wrapStorage(storage, (own) => ({
    changeKeys: (...change) => write(() => own.changeKeys(...change)),
    writePolicy: (policy) => write(() => own.writePolicy(policy)),
  }));
  const parts = await ringParts({ storage: guarded, time, policy: THEIRS });
  const before = await storage.readKeys();
  const ring = await KeyRing.open(parts);
  assert.equal((await ring.signer()).kid, keyIn("active", ring, time).kid);
  assert.equal(publishedKids(ring).length, 2);
  assert.equal(linesWith(parts.lines, "the database cannot be written").length, 1);
  await assert.rejects(ring.maintain(), { code: "storage_unavailable" });
  assert.deepEqual(await storage.readKeys(), before);

  isReadOnly = false;
  await ring.maintain();
  assert.deepEqual(await storedPolicy(storage), { ...POLICY, ...THEIRS });
  assert.deepEqual(ring.policy, { ...POLICY, ...THEIRS });
});

Deno.test("KeyRing.open() fails on a storage that is empty and refuses writes", async () => {
  const storage = wrapStorage(openStorage(), () => ({
    changeKeys: () => Promise.reject(storageUnavailable("read-only")),
    writePolicy: () => Promise.reject(storageUnavailable("read-only")),
  }));
  const parts = await ringParts({ storage });
  await assert.rejects(KeyRing.open(parts), { code: "storage_unavailable" });
});

Deno.test("KeyRing.maintain() reads the keys again only when something changed or is due", async () => {
  let readings = 0;
  const { ring, time, storage } = await makeRing({
    policy: OURS,
    storage: wrapStorage(openStorage(), (own) => ({
      readKeys: () => {
        readings++;
        return own.readKeys();
      },
    })),
  });
  await ring.maintain();
  readings = 0;
  for (let poll = 0; poll < 200; poll++) {
    time.advance(60);
    await ring.maintain();
    await ring.signer();
  }
  assert.equal(readings, 0);
  await storage.writePolicy(encodePolicy({ ...ring.policy, retention: 0 }));
  await ring.maintain();
  assert.ok(readings > 0, "a change is seen");
});
