/** A dashboard for Grafana, over the metrics that the server has on `METRICS_ADDRESS`. */

interface Panel {
  title: string;
  /** Of Grafana's units. */
  unit: string;
  /** The queries by the names of their lines. */
  queries: Record<string, string>;
}

/** What is shown of each instance that is chosen. */
const OF_INSTANCE = 'instance=~"$instance"';
const rate = (metric: string) => `rate(${metric}{${OF_INSTANCE}}[$__rate_interval])`;
const quantile = (part: number, metric: string, by = "le") =>
  `histogram_quantile(${part}, sum by (${by}) (${rate(`${metric}_bucket`)}))`;

/** In the order in which they are read, two in a row. */
const PANELS: readonly Panel[] = [
  {
    title: "Ready",
    unit: "bool",
    queries: { "{{instance}}": `jwks_ready{${OF_INSTANCE}}` },
  },
  {
    title: "Requests",
    unit: "reqps",
    queries: {
      "{{route}} {{status}}": `sum by (route, status) (${rate("jwks_http_requests_total")})`,
    },
  },
  {
    title: "Time to answer, 99 of 100",
    unit: "s",
    queries: { "{{route}}": quantile(0.99, "jwks_http_request_duration_seconds", "le, route") },
  },
  {
    title: "Tokens issued",
    unit: "reqps",
    queries: { "{{grant}} {{alg}}": `sum by (grant, alg) (${rate("jwks_tokens_issued_total")})` },
  },
  {
    title: "Authentications",
    unit: "reqps",
    queries: { "{{outcome}}": `sum by (outcome) (${rate("jwks_authentications_total")})` },
  },
  {
    title: "Refused before they were looked at",
    unit: "reqps",
    queries: {
      "over the rate limit, {{route}}": `sum by (route) (${rate("jwks_rate_limited_total")})`,
      "too many passwords wait": `sum(${rate("jwks_password_hash_refused_total")})`,
    },
  },
  {
    title: "Rate limit not shared",
    unit: "short",
    queries: {
      "shared, {{instance}}": `jwks_limiter_shared{${OF_INSTANCE}}`,
      "decisions a second that were not, {{instance}}": rate("jwks_limiter_fallback_total"),
    },
  },
  {
    title: "Passwords that wait to be hashed",
    unit: "short",
    queries: { "{{instance}}": `jwks_password_hash_queue{${OF_INSTANCE}}` },
  },
  {
    title: "Time that a password waits",
    unit: "s",
    queries: {
      "half of them": quantile(0.5, "jwks_password_hash_wait_seconds"),
      "99 of 100": quantile(0.99, "jwks_password_hash_wait_seconds"),
    },
  },
  {
    title: "Logins that were remembered",
    unit: "reqps",
    queries: { "{{instance}}": rate("jwks_login_cache_hits_total") },
  },
  {
    title: "Keys",
    unit: "s",
    queries: {
      "the active key has signed for, {{instance}}": `jwks_active_key_age_seconds{${OF_INSTANCE}}`,
      "the next key signs in, {{instance}}": `jwks_next_rotation_seconds{${OF_INSTANCE}}`,
      "KEY_ROTATION, {{instance}}": `jwks_key_rotation_seconds{${OF_INSTANCE}}`,
    },
  },
  {
    title: "Keys in the JWK set, unplanned rotations",
    unit: "short",
    queries: {
      "published, {{instance}}": `jwks_published_keys{${OF_INSTANCE}}`,
      "unplanned, {{instance}}": `jwks_unplanned_rotations_total{${OF_INSTANCE}}`,
    },
  },
  {
    title: "Storage errors, purged log rows",
    unit: "ops",
    queries: {
      "{{kind}}": `sum by (kind) (${rate("jwks_storage_errors_total")})`,
      "purged": `sum(${rate("jwks_log_rows_purged_total")})`,
    },
  },
  {
    title: "Connections to the database",
    unit: "short",
    queries: {
      "open, {{instance}}": `jwks_database_connections{${OF_INSTANCE}}`,
      "idle, {{instance}}": `jwks_database_connections_idle{${OF_INSTANCE}}`,
      "calls that wait, {{instance}}": `jwks_database_calls_waiting{${OF_INSTANCE}}`,
    },
  },
  {
    title: "Time since the keys were compared with the database",
    unit: "s",
    queries: { "{{instance}}": `jwks_keys_age_seconds{${OF_INSTANCE}}` },
  },
  {
    title: "Memory",
    unit: "bytes",
    queries: {
      "resident, {{instance}}": `process_resident_memory_bytes{${OF_INSTANCE}}`,
      "heap, {{instance}}": `nodejs_heap_size_used_bytes{${OF_INSTANCE}}`,
    },
  },
  {
    title: "Processor, event loop",
    unit: "short",
    queries: {
      "cores in use, {{instance}}": rate("process_cpu_seconds_total"),
      "lag in seconds, {{instance}}": `nodejs_eventloop_lag_seconds{${OF_INSTANCE}}`,
    },
  },
];

const DATA_SOURCE = { type: "prometheus", uid: "${datasource}" };
const SIZE = { width: 12, height: 8 };

/** The dashboard as JSON; Grafana asks for the data source when it is imported. */
export function grafanaDashboard(): string {
  return JSON.stringify(
    {
      title: "jwks-server",
      uid: "jwks-server",
      schemaVersion: 39,
      editable: true,
      refresh: "30s",
      time: { from: "now-6h", to: "now" },
      templating: { list: VARIABLES },
      panels: PANELS.map(toPanel),
    },
    null,
    2,
  ) + "\n";
}

const VARIABLES = [
  { name: "datasource", label: "Data source", type: "datasource", query: "prometheus" },
  {
    name: "instance",
    label: "Instance",
    type: "query",
    datasource: DATA_SOURCE,
    query: "label_values(jwks_build_info, instance)",
    refresh: 2,
    includeAll: true,
    multi: true,
    current: { text: "All", value: "$__all" },
  },
];

function toPanel({ title, unit, queries }: Panel, place: number) {
  return {
    id: place + 1,
    title,
    type: "timeseries",
    datasource: DATA_SOURCE,
    gridPos: {
      x: (place % 2) * SIZE.width,
      y: Math.floor(place / 2) * SIZE.height,
      w: SIZE.width,
      h: SIZE.height,
    },
    fieldConfig: { defaults: { unit, min: 0 }, overrides: [] },
    targets: Object.entries(queries).map(([legendFormat, expr], index) => ({
      refId: String.fromCharCode(65 + index),
      datasource: DATA_SOURCE,
      expr,
      legendFormat,
    })),
  };
}
