import assert from "node:assert/strict";
import { Durations } from "../../lib/server/durations.ts";
import { Instruments } from "../../lib/server/instruments.ts";

Deno.test("Instruments.render() has a head and the samples of each metric, in the order they were made", async () => {
  const made = new Instruments();
  const counter = made.counter("tokens_total", "Tokens.", ["grant", "alg"]);
  counter.inc({ grant: "a", alg: "b" }, 0);
  counter.inc({ grant: "c", alg: "d" });
  counter.inc({ grant: "c", alg: "d" }, 2);
  made.readGauge("age_seconds", "Age.", () => 1.5);
  made.readGauge("none_seconds", "None.", () => Promise.resolve(undefined));
  assert.equal(
    await made.render(),
    "# HELP tokens_total Tokens.\n# TYPE tokens_total counter\n" +
      'tokens_total{grant="a",alg="b"} 0\ntokens_total{grant="c",alg="d"} 3\n' +
      "# HELP age_seconds Age.\n# TYPE age_seconds gauge\nage_seconds 1.5\n" +
      "# HELP none_seconds None.\n# TYPE none_seconds gauge\n",
  );
});

Deno.test("Instruments.render() counts a histogram's buckets up to the last, which has no bound", async () => {
  const made = new Instruments();
  const durations = new Durations([0.1, 1]);
  for (const seconds of [0.05, 0.1, 0.5, 2]) durations.add(seconds);
  made.readHistogram("wait_seconds", "Waits.", () => [[{ route: "/a" }, durations]]);
  const [, , ...lines] = (await made.render()).trimEnd().split("\n");
  assert.deepEqual(lines, [
    'wait_seconds_bucket{le="0.1",route="/a"} 2',
    'wait_seconds_bucket{le="1",route="/a"} 3',
    'wait_seconds_bucket{le="+Inf",route="/a"} 4',
    'wait_seconds_sum{route="/a"} 2.65',
    'wait_seconds_count{route="/a"} 4',
  ]);
});

Deno.test("Instruments.render() escapes what would end a label or a line", async () => {
  const made = new Instruments();
  made.info("build_info", 'A \\ and a\nline, "quoted".', { version: 'a"b\\c\nd' });
  assert.equal(
    await made.render(),
    '# HELP build_info A \\\\ and a\\nline, "quoted".\n# TYPE build_info gauge\n' +
      'build_info{version="a\\"b\\\\c\\nd"} 1\n',
  );
});

Deno.test("Instruments refuses a second metric of a name", () => {
  const made = new Instruments();
  made.readGauge("age_seconds", "Age.", () => 1);
  assert.throws(() => made.readGauge("age_seconds", "Age.", () => 2), TypeError);
});
