/** Whether what clients see of several replicas is what they could see of one server. */

import assert from "node:assert/strict";
import { assertLinearizable, canCheck } from "./checker.ts";
import { Clients } from "./clients.ts";
import { ENGINES } from "./engines.ts";
import { form } from "./form.ts";
import { History } from "./history.ts";
import { Operator } from "./operator.ts";
import { Replicas } from "./replicas.ts";

const REPLICAS = 3;
const CLIENTS = 8;

/** In milliseconds. */
const DURATION = form(8000, 60_000);

/** How much of a history may remain without an answer, for it to say something. */
const MOST_UNKNOWN = 0.05;

for (const engine of ENGINES) {
  Deno.test({
    name:
      `${CLIENTS} clients of ${REPLICAS} replicas on ${engine.name} see what one server could show`,
    ignore: !canCheck,
  }, async () => {
    await using replicas = await Replicas.start(engine, REPLICAS);
    // At another cost than the servers': a login after a reset also hashes anew.
    await using operator = await Operator.open({ ...replicas.env, ARGON2_PASSES: "2" });
    const history = new History();
    const clients = new Clients({ replicas, operator, history });
    const end = performance.now() + DURATION;
    await clients.work(CLIENTS, () => performance.now() > end);
    const { operations, unknown } = history;
    assert.ok(unknown < MOST_UNKNOWN * operations.length, `${unknown} of ${operations.length}`);
    console.log(
      operations.length,
      unknown,
      Object.entries(Object.groupBy(operations, (o) => o.action + " " + o.answer)).map(([k, v]) =>
        `${k}: ${v!.length}`
      ),
    );
    await assertLinearizable(operations);
  });
}
