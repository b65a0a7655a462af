/** Whether the checker sees what is wrong with a history, and nothing where nothing is. */

import assert from "node:assert/strict";
import { canCheck, judge, type Verdict } from "./checker.ts";
import { type Operation, withLogApart } from "./history.ts";

/** An operation on one client or key, by the moments of its call and its return. */
type Row = [
  action: Operation["action"],
  answer: Operation["answer"],
  call: number,
  end: number | undefined,
  more?: Pick<Operation, "password" | "replacement" | "count">,
];

const [OLD, NEW] = [{ password: "old" }, { password: "new" }];
const counted = (count: number) => ({ count });

function rowsOf(subject: string, rows: readonly Row[]): Operation[] {
  return rows.map(([action, answer, call, end, more], client) => {
    return { client, subject, action, answer, call, return: end, ...more };
  });
}

async function judgeRows(subject: string, rows: readonly Row[]): Promise<Verdict["result"]> {
  const operations = rowsOf(subject, rows);
  const [verdict, ...others] = await judge(operations);
  assert.deepEqual([verdict!.subject, others], [subject, []]);
  assert.equal(verdict!.result === "Illegal", (verdict!.explanation ?? []).length > 0);
  return verdict!.result;
}

const REGISTERED: Row = ["register", "done", 0, 1, OLD];

/** Histories of a client in which no order explains every answer. */
const ILLEGAL: Record<string, Row[]> = {
  "a stale read: the old password after it was replaced": [
    REGISTERED,
    ["reset", "done", 2, 3, NEW],
    ["authenticate", "done", 4, 5, OLD],
  ],
  "a login after the client was disabled": [
    REGISTERED,
    ["disable", "done", 2, 3],
    ["authenticate", "done", 4, 5, OLD],
  ],
  "a refusal of the right password": [REGISTERED, ["authenticate", "refused", 2, 3, OLD]],
  "two registrations of one name": [REGISTERED, ["register", "done", 2, 3, NEW]],
  "a taken name that nobody has": [["register", "taken", 0, 1]],
  "a name given again": [
    REGISTERED,
    ["delete", "done", 2, 3],
    ["register", "done", 4, 5, NEW],
  ],
  "two reads in an order that no write explains": [
    REGISTERED,
    ["reset", "done", 2, 9, NEW],
    ["authenticate", "done", 3, 4, NEW],
    ["authenticate", "done", 5, 6, OLD],
  ],
  "an enabled client that is still refused": [
    REGISTERED,
    ["disable", "done", 2, 3],
    ["enable", "done", 4, 5],
    ["authenticate", "refused", 6, 7, OLD],
  ],
  "a token without its row": [
    REGISTERED,
    ["authenticate", "done", 2, 3, OLD],
    ["count", "counted", 4, 5, counted(0)],
  ],
  "a row of no login": [REGISTERED, ["count", "counted", 2, 3, counted(1)]],
  "a row that is written after the client was disabled": [
    REGISTERED,
    ["authenticate", "done", 2, 9, OLD],
    ["disable", "done", 3, 4],
    ["count", "counted", 5, 6, counted(0)],
  ],
  "a password that was replaced by an older one": [
    REGISTERED,
    ["replace", "done", 2, 5, { ...OLD, replacement: "newer" }],
    ["reset", "done", 3, 4, NEW],
    ["authenticate", "done", 6, 7, NEW],
    ["authenticate", "done", 8, 9, { password: "newer" }],
  ],
  "a change of nobody": [["disable", "done", 0, 1]],
};

/** Histories in which an order does. */
const LEGAL: Record<string, Row[]> = {
  "an old password while it is replaced": [
    REGISTERED,
    ["reset", "done", 2, 5, NEW],
    ["authenticate", "done", 3, 6, OLD],
    ["authenticate", "done", 7, 8, NEW],
    ["count", "counted", 9, 10, counted(2)],
  ],
  "a reset without an answer that came true late": [
    REGISTERED,
    ["reset", "unknown", 2, undefined, NEW],
    ["authenticate", "done", 3, 4, OLD],
    ["authenticate", "done", 5, 6, NEW],
  ],
  "a reset without an answer that never happened": [
    REGISTERED,
    ["reset", "unknown", 2, undefined, NEW],
    ["authenticate", "done", 3, 4, OLD],
  ],
  "a password that is replaced while it is reset": [
    REGISTERED,
    ["replace", "done", 2, 5, { ...OLD, replacement: "newer" }],
    ["reset", "done", 3, 4, NEW],
    ["authenticate", "refused", 6, 7, { password: "newer" }],
    ["authenticate", "done", 8, 9, NEW],
  ],
  "a replacement without an answer, which nobody knows": [
    REGISTERED,
    ["replace", "unknown", 2, undefined, OLD],
    ["authenticate", "refused", 3, 4, OLD],
  ],
  "a registration without an answer that took the name": [
    ["register", "unknown", 0, undefined],
    ["register", "taken", 1, 2],
    ["authenticate", "refused", 3, 4, OLD],
  ],
  "a login without an answer that has its row": [
    REGISTERED,
    ["authenticate", "unknown", 2, undefined, OLD],
    ["count", "counted", 3, 4, counted(0)],
    ["count", "counted", 5, 6, counted(1)],
  ],
  "a client from beginning to end": [
    ["disable", "not found", 0, 1],
    ["register", "done", 2, 3, OLD],
    ["disable", "done", 4, 5],
    ["reset", "done", 6, 7, NEW],
    ["authenticate", "refused", 8, 9, NEW],
    ["enable", "done", 10, 11],
    ["authenticate", "done", 12, 13, NEW],
    ["delete", "done", 14, 15],
    ["register", "taken", 16, 17],
    ["count", "counted", 18, 19, counted(0)],
  ],
};

const ILLEGAL_KEYS: Record<string, Row[]> = {
  "a signature by a key that was revoked before": [
    ["sign", "done", 0, 1],
    ["revoke", "done", 2, 3],
    ["sign", "done", 4, 5],
  ],
  "a token that counts although its key was revoked before": [
    ["revoke", "done", 0, 1],
    ["introspect", "done", 2, 3],
  ],
  "a token that does not count although its key was never revoked": [
    ["introspect", "refused", 0, 1],
  ],
  "a key that is revoked twice": [["revoke", "done", 0, 1], ["revoke", "done", 2, 3]],
};

const LEGAL_KEYS: Record<string, Row[]> = {
  "a signature while the key is revoked": [
    ["revoke", "done", 0, 3],
    ["sign", "done", 1, 4],
    ["introspect", "done", 2, 5],
    ["introspect", "refused", 6, 7],
    ["revoke", "conflict", 8, 9],
  ],
};

const ILLEGAL_LOGS: Record<string, Row[]> = {
  "a row that is missing": [["record", "done", 0, 1], ["count", "counted", 2, 3, counted(0)]],
  "a row too many": [["record", "done", 0, 1], ["count", "counted", 2, 3, counted(2)]],
  "a row that is seen and then not": [
    ["record", "done", 0, 9],
    ["count", "counted", 1, 2, counted(1)],
    ["count", "counted", 3, 4, counted(0)],
  ],
  "a row of a client that was deleted before": [
    ["record", "done", 0, 1],
    ["clear", "done", 2, 3],
    ["count", "counted", 4, 5, counted(1)],
  ],
};

const LEGAL_LOGS: Record<string, Row[]> = {
  "a row that may be there": [
    ["record", "unknown", 0, undefined],
    ["record", "done", 1, 2],
    ["count", "counted", 3, 4, counted(1)],
    ["count", "counted", 5, 6, counted(2)],
    ["clear", "done", 7, 8],
    ["count", "counted", 9, 10, counted(0)],
  ],
};

for (
  const [subject, illegal, legal] of [
    ["client alice", ILLEGAL, LEGAL],
    ["log alice", ILLEGAL_LOGS, LEGAL_LOGS],
    ["key 1", ILLEGAL_KEYS, LEGAL_KEYS],
  ] as const
) {
  for (const [name, rows] of Object.entries(illegal)) {
    Deno.test({ name: `the checker finds ${name}`, ignore: !canCheck }, async () => {
      assert.equal(await judgeRows(subject, rows), "Illegal");
    });
  }
  for (const [name, rows] of Object.entries(legal)) {
    Deno.test({ name: `the checker explains ${name}`, ignore: !canCheck }, async () => {
      assert.equal(await judgeRows(subject, rows), "Ok");
    });
  }
}

Deno.test({
  name: "the checker looks at each subject for itself, and names the one that is wrong",
  ignore: !canCheck,
}, async () => {
  const client = 0;
  const one = { client, action: "revoke", answer: "done" } as const;
  const verdicts = await judge([
    { ...one, subject: "key 1", call: 0, return: 1 },
    { ...one, subject: "key 2", call: 2, return: 3 },
    { ...one, subject: "key 2", call: 4, return: 5 },
  ]);
  assert.deepEqual(verdicts.map(({ subject, result }) => [subject, result]), [
    ["key 1", "Ok"],
    ["key 2", "Illegal"],
  ]);
  assert.match(verdicts[1]!.explanation!.join("\n"), /does not fit: \[4–5\] client 0: revoke/);
});

Deno.test({
  name: "withLogApart() leaves it open when a row is seen, and nothing else",
  ignore: !canCheck,
}, async () => {
  const subject = "client alice";
  const late = rowsOf(subject, ILLEGAL["a row that is written after the client was disabled"]!);
  assert.deepEqual((await judge(late)).map(({ result }) => result), ["Illegal"]);
  assert.deepEqual((await judge(withLogApart(late))).map(({ result }) => result), ["Ok", "Ok"]);
  for (const what of ["a token without its row", "a row of no login", "a name given again"]) {
    const operations = withLogApart(rowsOf(subject, ILLEGAL[what]!));
    assert.ok((await judge(operations)).some(({ result }) => result === "Illegal"), what);
  }
});
