import assert from "node:assert/strict";
import { Comparison, MASKS } from "./masks.ts";

/** Of each kind: a line as it is shown, others that may come out, and others that may not. */
const CASES: Record<string, { shown: string; may: string[]; mayNot: string[] }> = {
  uuid: {
    shown: '{"password":"3f513657-5f80-4374-9fa9-9647b9d48e6b"}',
    may: ['{"password":"00000000-0000-4000-8000-000000000000"}'],
    mayNot: [
      '{"password":"3F513657-5F80-4374-9FA9-9647B9D48E6B"}',
      '{"password":"3f513657-5f80-1374-9fa9-9647b9d48e6b"}',
      '{"password":"3f513657-5f80-4374-cfa9-9647b9d48e6b"}',
      '{"password":"3f5136575f8043749fa99647b9d48e6b"}',
      '{"password":""}',
      '{"Password":"00000000-0000-4000-8000-000000000000"}',
    ],
  },
  instant: {
    shown: "until 2026-11-22 22:04:44Z",
    may: ["until 2027-01-31 00:00:00Z"],
    mayNot: ["until 2026-11-22T22:04:44Z", "until 2026-11-22", "until 2026-13-22 22:04:44Z"],
  },
  date: {
    shown: "date: Sun, 22 Nov 2026 22:04:44 GMT",
    may: ["date: Mon, 01 Feb 2027 00:00:00 GMT"],
    mayNot: ["date: Sun, 22 Nov 2026 22:04:44", "date: 2026-11-22 22:04:44"],
  },
  kid: {
    shown: "Key 1795385084482 signs",
    may: ["Key 1800000000000 signs"],
    mayNot: ["Key 179538508448 signs", "Key 17953850844821 signs", "Key a signs", "Key 1 signs"],
  },
  seconds: {
    shown: '"exp":1795388684}',
    may: ['"exp":1800000000}'],
    mayNot: ['"exp":"1795388684"}', '"exp":3600}', '"exp":1795388684000}', '"exp":null}'],
  },
  etag: {
    shown: 'etag: "v-lfo8NegVCK3KBFHJ88z1FLNT6hbl5u2TRwWghe6Rc"',
    may: ['etag: "0000000000000000000000000000000000000000000"'],
    mayNot: ['etag: W/"v-lfo8NegVCK3KBFHJ88z1FLNT6hbl5u2TRwWghe6Rc"', 'etag: "a"', "etag: "],
  },
  suffix: {
    shown: "kept in a.key.old-e4a3ba6c",
    may: ["kept in a.key.old-00000000"],
    mayNot: ["kept in a.key.old-e4a3ba6", "kept in a.key.old-e4a3ba6c1", "kept in a.key.old"],
  },
  size: {
    shown: "a backup of 98304 bytes",
    may: ["a backup of 1 bytes"],
    mayNot: ["a backup of 0 bytes", "a backup of -1 bytes", "a backup of 98304 lines"],
  },
};

function differs(shown: string | string[], came: string | string[]): boolean {
  return new Comparison().findDifference([shown].flat(), [came].flat()) !== undefined;
}

Deno.test("every mask is tried", () => {
  assert.deepEqual(Object.keys(CASES).sort(), Object.keys(MASKS).sort());
});

for (const [kind, { shown, may, mayNot }] of Object.entries(CASES)) {
  Deno.test(`what varies as ${kind} keeps its form, and all around it stays as it is shown`, () => {
    for (const came of [shown, ...may]) assert.ok(!differs(shown, came), came);
    for (const came of mayNot) assert.ok(differs(shown, came), came);
  });
}

Deno.test("what is of no kind must come out to the letter", () => {
  const others = { "3600": "3601", "a.b": "axb", "": "a", "ok  a": "ok a" };
  for (const [shown, came] of Object.entries(others)) {
    assert.ok(differs(shown, came), came);
    assert.ok(!differs(shown, shown), shown);
  }
});

Deno.test("as many lines come out as are shown", () => {
  assert.ok(differs(["a", "b"], ["a"]));
  assert.ok(differs(["a"], ["a", "b"]));
  assert.ok(differs([], ["a"]));
  assert.ok(!differs([], []));
});

Deno.test("a name that is shown again stands for the same, and another for another", () => {
  const [one, two] = ["Key 1795385084482", "Key 1795385084645"];
  const [came, others] = ["Key 1800000000001", "Key 1800000000002"];
  assert.ok(!differs([one, two, one], [came, others, came]));
  assert.ok(differs([one, one], [came, others]));
  assert.ok(differs([one, two], [came, came]));
});

Deno.test("a line that does not fit leaves no name behind", () => {
  const comparison = new Comparison();
  assert.ok(comparison.findDifference(["1795385084482 a"], ["1800000000001 b"]) !== undefined);
  assert.equal(comparison.findDifference(["1795385084482"], ["1800000000002"]), undefined);
});

Deno.test("a command is typed with the names of this run", () => {
  const comparison = new Comparison();
  assert.equal(comparison.findDifference(["1795385084482"], ["1800000000001"]), undefined);
  assert.equal(
    comparison.translate("keys revoke 1795385084482 17"),
    "keys revoke 1800000000001 17",
  );
});

Deno.test("times lie as far from each other as they are shown", () => {
  const shown = ["2026-11-22 22:04:44", "2026-12-22 22:04:44"];
  assert.ok(!differs(shown, ["2027-01-01 00:00:00", "2027-01-31 00:00:05"]));
  assert.ok(differs(shown, ["2027-01-01 00:00:00", "2027-01-30 00:00:00"]));
  assert.ok(differs(shown, ["2027-01-01 00:00:00", "2027-01-31 01:00:00"]));
});

Deno.test("an ellipsis within a line leaves out neither nothing nor a space nor a quote", () => {
  assert.ok(!differs('{"n":"a…","e":1}', '{"n":"abc","e":1}'));
  for (
    const came of [
      '{"n":"a","e":1}',
      '{"n":"b","e":1}',
      '{"n":"a b","e":1}',
      '{"n":"a","e":"","e":1}',
    ]
  ) {
    assert.ok(differs('{"n":"a…","e":1}', came), came);
  }
});

Deno.test("a line of an ellipsis leaves out lines up to the next that is shown", () => {
  assert.ok(!differs(["a", "…", "d"], ["a", "b", "c", "d"]));
  assert.ok(!differs(["a", "…"], ["a", "b"]));
  assert.ok(differs(["a", "…", "d"], ["a", "b", "c"]));
  assert.ok(differs(["a", "…", "d"], ["b", "c", "d"]));
  assert.ok(differs(["a", "…", "d"], ["a", "d", "e"]));
});
