import assert from "node:assert/strict";
import fc from "fast-check";
import { maxAge, preparePublishedSet, type PublishableKey } from "../../lib/keys/published_set.ts";

const HORIZON = 2000;

function key(id: number, signFrom: number, signUntil: number, exp: number): PublishableKey {
  const publicJwk = {
    kty: "RSA",
    kid: String(id),
    use: "sig",
    alg: "RS256",
    n: `n${id}`,
    e: "e",
  };
  return { id, signFrom, signUntil, exp, publicJwk: publicJwk as PublishableKey["publicJwk"] };
}

/** Any keys, whether or not a policy would make them; the last ones are born expired. */
const someKeys = fc.array(
  fc.tuple(fc.nat(HORIZON), fc.nat(500), fc.nat(500), fc.boolean()),
  { maxLength: 6 },
).map((all) =>
  all.map(([from, signs, verifies, bornExpired], index) =>
    bornExpired
      ? key(index, from, from, from)
      : key(index, from, from + signs + 1, from + signs + 1 + verifies)
  )
);

function kidsOf(keys: readonly PublishableKey[], now: number): string[] | undefined {
  const set = preparePublishedSet(keys, now);
  return set &&
    JSON.parse(set.text).keys.map((jwk: { kid: string }) => jwk.kid);
}

Deno.test("preparePublishedSet() has NEXT, ACTIVE and PASSIVE keys, and no expired one", () => {
  const keys = [
    key(1, 0, 100, 200), // expired
    key(2, 100, 900, 1100), // passive
    key(3, 900, 1900, 2000), // active
    key(4, 1900, 2900, 3000), // next
  ];
  assert.deepEqual(kidsOf(keys, 1000), ["2", "3", "4"]);
  assert.deepEqual(kidsOf(keys, 1099), ["2", "3", "4"]);
  assert.deepEqual(kidsOf(keys, 1100), ["3", "4"]);
});

Deno.test("preparePublishedSet() never has a key that was born expired", () => {
  assert.deepEqual(kidsOf([key(1, 0, 100, 200), key(2, 50, 50, 50)], 10), ["1"]);
});

Deno.test("preparePublishedSet() is undefined rather than empty", () => {
  assert.equal(preparePublishedSet([], 0), undefined);
  assert.equal(preparePublishedSet([key(1, 0, 100, 200)], 200), undefined);
  assert.equal(preparePublishedSet([key(1, 50, 50, 50)], 0), undefined);
});

Deno.test("preparePublishedSet() has the public JWKs as they are, under `keys`", () => {
  const one = key(1, 0, 100, 200);
  const set = preparePublishedSet([one], 0)!;
  assert.deepEqual(JSON.parse(set.text), { keys: [one.publicJwk] });
});

Deno.test("preparePublishedSet() has a strong entity tag, one for each content", () => {
  fc.assert(fc.property(someKeys, fc.nat(HORIZON), fc.nat(HORIZON), (keys, one, other) => {
    const [a, b] = [preparePublishedSet(keys, one), preparePublishedSet(keys, other)];
    fc.pre(a !== undefined && b !== undefined);
    assert.match(a.etag, /^"[A-Za-z0-9_-]{20,}"$/);
    const isSame = a.text === b.text;
    assert.equal(a.etag === b.etag, isSame);
  }));
});

Deno.test("preparePublishedSet() has another entity tag when a key joins or leaves", () => {
  const [one, two] = [key(1, 0, 100, 200), key(2, 100, 200, 300)];
  const tag = (keys: PublishableKey[], now: number) => preparePublishedSet(keys, now)!.etag;
  assert.notEqual(tag([one], 0), tag([one, two], 0));
  assert.notEqual(tag([one, two], 199), tag([one, two], 200));
  assert.equal(tag([one, two], 0), tag([one, two], 199));
});

Deno.test("preparePublishedSet() is right from `from` until before `until`, and no longer", () => {
  fc.assert(fc.property(someKeys, fc.nat(HORIZON), (keys, now) => {
    const set = preparePublishedSet(keys, now);
    fc.pre(set !== undefined);
    assert.ok(set.from <= now && now < set.until);
    const kids = kidsOf(keys, now);
    const moments = [set.from, set.until - 1, ...keys.map(({ exp }) => exp)];
    for (const at of moments.filter((at) => set.from <= at && at < set.until)) {
      assert.deepEqual(kidsOf(keys, at), kids);
    }
    assert.notDeepEqual(kidsOf(keys, set.until), kids);
  }));
});

Deno.test("maxAge() never reaches past the moment at which a key leaves, and is 1 to 300", () => {
  fc.assert(fc.property(someKeys, fc.nat(HORIZON), (keys, now) => {
    const set = preparePublishedSet(keys, now);
    fc.pre(set !== undefined);
    const age = maxAge(set, now);
    assert.ok(Number.isInteger(age) && age >= 1 && age <= 300);
    for (let at = now; at < now + age; at++) assert.deepEqual(kidsOf(keys, at), kidsOf(keys, now));
  }));
});

Deno.test("maxAge() is 300 seconds while no key is about to leave", () => {
  const set = preparePublishedSet([key(1, 0, 900, 1000)], 0)!;
  assert.equal(maxAge(set, 0), 300);
  assert.equal(maxAge(set, 700), 300);
  assert.equal(maxAge(set, 701), 299);
  assert.equal(maxAge(set, 999), 1);
});
