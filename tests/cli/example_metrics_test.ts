/** The examples for Prometheus and Grafana, over the metrics that the server has. */

import assert from "node:assert/strict";
import { works } from "../blackbox/skip.ts";
import { makeMetrics } from "../server/made_metrics.ts";
import { withTempDir } from "../support.ts";
import { exampleOf } from "./examples.ts";

const canCheck = await works(["promtool", "--version"], "the tests of the alert rules");

/** Runs promtool on files in a directory of their own. */
async function promtool(args: string[], files: Record<string, string>): Promise<void> {
  await withTempDir(async (directory) => {
    for (const [name, text] of Object.entries(files)) {
      await Deno.writeTextFile(`${directory}/${name}`, text);
    }
    const { success, stdout, stderr } = await new Deno.Command("promtool", {
      args,
      cwd: directory,
    }).output();
    const said = new TextDecoder().decode(stdout) + new TextDecoder().decode(stderr);
    assert.ok(success, said);
  });
}

const INSTANCE = 'job="jwks-server", instance="a:9464"';
const MONTH = 30 * 86_400;

/** The metrics of a server that is well, minute by minute, in promtool's notation. */
const WELL: Record<string, string> = {
  [`up{${INSTANCE}}`]: "1x60",
  [`jwks_ready{${INSTANCE}}`]: "1x60",
  [`jwks_active_key_age_seconds{${INSTANCE}}`]: "100+60x60",
  [`jwks_next_rotation_seconds{${INSTANCE}}`]: `${MONTH - 100}-60x60`,
  [`jwks_key_rotation_seconds{${INSTANCE}}`]: `${MONTH}x60`,
  [`jwks_unplanned_rotations_total{${INSTANCE}}`]: "0x60",
  [`jwks_keys_age_seconds{${INSTANCE}}`]: "1x60",
  [`jwks_database_calls_waiting{${INSTANCE}}`]: "0x60",
  [`jwks_storage_errors_total{${INSTANCE}, kind="full"}`]: "0x60",
  [`jwks_storage_errors_total{${INSTANCE}, kind="locked"}`]: "2x60",
  [`jwks_password_hash_refused_total{${INSTANCE}}`]: "5x60",
  [`jwks_limiter_shared{${INSTANCE}}`]: "1x60",
  [`jwks_tokens_issued_total{${INSTANCE}, grant="password"}`]: "0+100x60",
  [`jwks_tokens_issued_total{${INSTANCE}, grant="test"}`]: "0x60",
  [`jwks_http_requests_total{${INSTANCE}, status="200"}`]: "0+100x60",
  [`jwks_http_requests_total{${INSTANCE}, status="503"}`]: "0+1x60",
  [`jwks_http_requests_total{${INSTANCE}, status="500"}`]: "0x60",
};

/** What is otherwise than well (`undefined`: not there), and which alerts fire of it after an hour. */
const SCENARIOS: Record<string, { but: Record<string, string | undefined>; firing: string[] }> = {
  "all is well": { but: {}, firing: [] },
  "the server is down": {
    but: {
      ...Object.fromEntries(Object.keys(WELL).map((name) => [name, undefined])),
      "up": "1x55 0x5",
    },
    firing: ["JwksServerDown"],
  },
  "it was down for a minute": { but: { "up": "1x58 0 1" }, firing: [] },
  "it is not ready": { but: { "jwks_ready": "1x50 0x10" }, firing: ["JwksServerNotReady"] },
  "no key signs": {
    but: { "jwks_active_key_age_seconds": "100+60x50", "jwks_ready": "1x50 0x10" },
    firing: ["JwksNoSigningKey", "JwksServerNotReady"],
  },
  "there is no next key": {
    but: { "jwks_next_rotation_seconds": "1000-60x40" },
    firing: ["JwksNoNextKey"],
  },
  "the next key is a few minutes late": {
    but: { "jwks_next_rotation_seconds": "1000-60x54" },
    firing: [],
  },
  "the keys have not been seen for some minutes": {
    but: { "jwks_keys_age_seconds": "1x55 30 90 150 210 270" },
    firing: ["JwksKeysOutOfSight"],
  },
  "the keys were out of sight for a minute": {
    but: { "jwks_keys_age_seconds": "1x58 61 1" },
    firing: [],
  },
  "calls wait for the database": {
    but: { "jwks_database_calls_waiting": "0x55 3x5" },
    firing: ["JwksDatabaseConnectionsShort"],
  },
  "the key has signed for too long": {
    but: { "jwks_active_key_age_seconds": `${MONTH + 3600}+60x60` },
    firing: ["JwksRotationOverdue"],
  },
  "the key signs until its last moment": {
    but: { "jwks_active_key_age_seconds": `${MONTH - 3600}+60x60` },
    firing: [],
  },
  "a key had to sign that nobody knew": {
    but: { "jwks_unplanned_rotations_total": "0x30 1x30" },
    firing: ["JwksUnplannedRotation"],
  },
  "the disk is full": {
    but: { 'jwks_storage_errors_total, kind="full"': "0x50 1+1x9" },
    firing: ["JwksStorageErrors"],
  },
  "more logins come than can be checked": {
    but: { "jwks_password_hash_refused_total": "5x45 6+60x14" },
    firing: ["JwksHashQueueFull"],
  },
  "there were too many logins for a moment": {
    but: { "jwks_password_hash_refused_total": "5x57 60x2" },
    firing: [],
  },
  "the rate limit is not shared": {
    but: { "jwks_limiter_shared": "1x50 0x10" },
    firing: ["JwksRateLimitNotShared"],
  },
  "the rate limit was not shared for a moment": {
    but: { "jwks_limiter_shared": "1x50 0x3 1x7" },
    firing: [],
  },
  "a test token was issued": {
    but: { 'jwks_tokens_issued_total, grant="test"': "0x20 1x40" },
    firing: ["JwksTestTokens"],
  },
  "a request failed": {
    but: { 'jwks_http_requests_total, status="500"': "0x56 1x4" },
    firing: ["JwksServerErrors"],
  },
};

/** A scenario as a test of promtool. */
function toTest(name: string) {
  const { but, firing } = SCENARIOS[name]!;
  const others = Object.entries(but).map(([short, values]) => {
    if (short.includes("{")) return [short, values] as const;
    const [metric, label] = short.split(", ");
    return [`${metric}{${INSTANCE}${label ? `, ${label}` : ""}}`, values] as const;
  });
  const series = Object.entries({ ...WELL, ...Object.fromEntries(others) })
    .filter((entry): entry is [string, string] => entry[1] !== undefined);
  for (const [changed] of others) assert.ok(changed in WELL, `${name}: ${changed}`);
  return {
    name,
    interval: "1m",
    input_series: series.map(([series, values]) => ({ series, values })),
    promql_expr_test: [{
      expr: 'count by (alertname) (ALERTS{alertstate="firing"})',
      eval_time: "1h",
      exp_samples: firing.map((alertname) => ({ labels: `{alertname="${alertname}"}`, value: 1 })),
    }],
  };
}

Deno.test({
  name:
    "example prometheus-rules prints rules that are valid, and fire when they should and not otherwise",
  ignore: !canCheck,
}, async () => {
  const rules = await exampleOf("prometheus-rules");
  await promtool(["check", "rules", "rules.yml"], { "rules.yml": rules });
  const tests = Object.keys(SCENARIOS).map(toTest);
  const test = JSON.stringify({ rule_files: ["rules.yml"], evaluation_interval: "1m", tests });
  await promtool(["test", "rules", "test.yml"], { "rules.yml": rules, "test.yml": test });
});

Deno.test({
  name: "example prometheus prints a configuration that is valid with the rules beside it",
  ignore: !canCheck,
}, async () => {
  await promtool(["check", "config", "prometheus.yml"], {
    "prometheus.yml": await exampleOf("prometheus"),
    "jwks-server.rules.yml": await exampleOf("prometheus-rules"),
  });
});

Deno.test("every alert of example prometheus-rules fires in one of the tests", async () => {
  const alerts = [...(await exampleOf("prometheus-rules")).matchAll(/- alert: (\w+)/g)];
  const tested = new Set(Object.values(SCENARIOS).flatMap(({ firing }) => firing));
  assert.deepEqual(new Set(alerts.map(([, name]) => name!)), tested);
});

/** The names of metrics in an expression, without what a histogram appends. */
function metricsIn(expression: string): string[] {
  return [...expression.matchAll(/\b(?:jwks|process|nodejs)_[a-z_]+/g)]
    .map(([name]) => name.replace(/_(?:bucket|sum|count)$/, ""));
}

/** The queries of the dashboard. */
async function queries(): Promise<string[]> {
  const { panels } = JSON.parse(await exampleOf("grafana"));
  return panels.flatMap(({ targets }: { targets: { expr: string }[] }) =>
    targets.map(({ expr }) => expr)
  );
}

Deno.test("the examples use metrics that the server has, and no others", async () => {
  const known = await makeMetrics().names();
  const expressions = [...(await exampleOf("prometheus-rules")).matchAll(/expr: (.*)/g)]
    .map(([, expression]) => expression!);
  assert.equal(expressions.length, 13);
  for (const expression of [...expressions, ...await queries()]) {
    const names = metricsIn(expression);
    assert.ok(names.length > 0 || expression.startsWith("up"), expression);
    for (const name of names) assert.ok(known.has(name), `${name} in ${expression}`);
  }
});

Deno.test("example grafana shows every metric of the server's own", async () => {
  const shown = new Set((await queries()).flatMap(metricsIn));
  const known = [...await makeMetrics().names()].filter((name) => name.startsWith("jwks_"));
  assert.deepEqual(known.filter((name) => !shown.has(name)), ["jwks_build_info"]);
});

Deno.test({
  name: "the queries of example grafana are valid",
  ignore: !canCheck,
}, async () => {
  const expressions = (await queries()).map((query) =>
    query.replaceAll("$__rate_interval", "1m").replaceAll("$instance", ".*")
  );
  const rules = expressions.map((expr, place) => ({ record: `query:${place}`, expr }));
  const text = JSON.stringify({ groups: [{ name: "queries", rules }] });
  await promtool(["check", "rules", "rules.yml"], { "rules.yml": text });
});
