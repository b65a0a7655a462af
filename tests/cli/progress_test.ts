import assert from "node:assert/strict";
import { Progress } from "../../lib/cli/progress.ts";
import { withWorkplace } from "./workplace.ts";

const ERASE = "\r\x1b[2K";

/** A progress, the clock that it goes by, and what it writes. */
function makeProgress() {
  const written: string[] = [];
  const time = { now: 5000 };
  const write = (text: string) => void written.push(text);
  const progress = new Progress({ write, now: () => time.now });
  return { progress, time, written };
}

Deno.test("Progress.count() shows a bar after a second, and not more than ten times in one", () => {
  const { progress, time, written } = makeProgress();
  for (let done = 0; done < 100; done++) {
    progress.count("clients", done, 100);
    time.now += 20;
  }
  assert.equal(written.length, 10);
  assert.equal(written[0], `${ERASE}clients [${"#".repeat(15)}${" ".repeat(15)}] 50 of 100`);
  assert.equal(written.at(-1), `${ERASE}clients [${"#".repeat(28)}${" ".repeat(2)}] 95 of 100`);
});

Deno.test("Progress.step() shows at once what alone takes long, and all else after a second", () => {
  const { progress, time, written } = makeProgress();
  progress.step("checking keys", false);
  time.now += 999;
  progress.step("checking keys", false);
  assert.deepEqual(written, []);
  progress.step("checking users", true);
  time.now += 1;
  progress.step("checking\x1b[2Jkeys", false);
  assert.deepEqual(written, [`${ERASE}checking users …`, `${ERASE}checking\\u001b[2Jkeys …`]);
});

Deno.test("Progress.clear() takes the line away that is shown, once", () => {
  const { progress, written } = makeProgress();
  progress.clear();
  assert.deepEqual(written, []);
  progress.step("copying", true);
  progress.clear();
  progress.clear();
  assert.deepEqual(written.slice(1), [ERASE]);
});

Deno.test("doctor says on a terminal alone how far it is, and leaves nothing of that before its findings", async () => {
  const { isTerminal } = Deno.stderr;
  const { now } = performance;
  let time = 0;
  await withWorkplace(async (workplace) => {
    performance.now = () => time += 600; // every look at the clock takes that long
    try {
      assert.equal(
        (await workplace.execute(["doctor", "--json"])).stderr.includes("checking"),
        false,
      );
      Deno.stderr.isTerminal = () => true;
      const { stderr } = await workplace.execute(["doctor", "--json"]);
      assert.match(stderr, /checking users \(\d of \d\) …/);
      assert.ok(stderr.includes("checking all pages"));
      const [bar] = stderr.split("jwks-server: ");
      assert.ok(bar!.endsWith(ERASE), JSON.stringify(stderr));
    } finally {
      performance.now = now;
      Deno.stderr.isTerminal = isTerminal;
    }
  }, { alg: "ES256" });
});
