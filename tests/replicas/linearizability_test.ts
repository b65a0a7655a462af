/** Whether what clients see of several replicas is what they could see of one server. */

import assert from "node:assert/strict";
import { assertLinearizable, canCheck } from "./checker.ts";
import { Calls } from "./calls.ts";
import { Clients } from "./clients.ts";
import { ENGINES } from "./engines.ts";
import { form } from "./form.ts";
import { History, withLogApart } from "./history.ts";
import { Operator } from "./operator.ts";
import { Replicas } from "./replicas.ts";

const REPLICAS = 3;
const CLIENTS = 8;

const OPERATIONS = form(3000, 50_000);

/** How often something must have come up in a history. */
const LEAST = 3;

/** How much of a history may remain without an answer, for it to say something. */
const MOST_UNKNOWN = 0.05;

/** What must have come up so often. */
const TELLING = [
  "register done",
  "register taken",
  "authenticate done",
  "authenticate refused",
  "disable done",
  "enable done",
  "reset done",
  "replace done",
  "delete done",
  "count counted",
  "sign done",
  "introspect done",
  "introspect refused",
  "revoke done",
];

for (const engine of ENGINES) {
  Deno.test({
    name:
      `${CLIENTS} clients of ${REPLICAS} replicas on ${engine.name} see what one server could show`,
    ignore: !canCheck,
  }, async () => {
    await using replicas = await Replicas.start(engine, REPLICAS, { PASSWORD_OVERLAP: "0s" });
    // At another cost than the servers': a login after a reset also hashes anew.
    await using operator = await Operator.open({ ...replicas.env, ARGON2_PASSES: "2" });
    const history = new History();
    const clients = new Clients({ calls: new Calls(replicas, operator), history });
    await clients.work(CLIENTS, () => history.operations.length >= OPERATIONS);
    assertTelling(history);
    const { operations } = history;
    await assertLinearizable(engine.hasRowsInOrder ? operations : withLogApart(operations));
  });
}

/** A history in which little happens can be explained whatever the servers do. */
function assertTelling({ operations, unknown }: History): void {
  const counts = new Map(TELLING.map((what) => [what, 0]));
  for (const { action, answer } of operations) {
    const what = `${action} ${answer}`;
    counts.set(what, (counts.get(what) ?? 0) + 1);
  }
  const told = JSON.stringify([...counts]);
  for (const what of TELLING) assert.ok(counts.get(what)! >= LEAST, `${what}: ${told}`);
  assert.ok(unknown < MOST_UNKNOWN * operations.length, `${unknown} of ${operations.length}`);
}
