/** Deno's OpenTelemetry, as a collector receives it over OTLP/HTTP. */

import assert from "node:assert/strict";
import { startSettled } from "./commands.ts";
import { eventually, UNLIMITED } from "./harness.ts";

const TRACE = "4bf92f3577b34da6a3ce929d0e0e4736";

interface Attribute {
  key: string;
  value: { stringValue?: string };
}

interface Span {
  traceId: string;
  name: string;
  attributes: Attribute[];
}

/** Everything that was sent to a collector, by path. */
class Collector implements AsyncDisposable {
  readonly received: { path: string; text: string }[] = [];
  readonly #server = Deno.serve(
    { hostname: "127.0.0.1", port: 0, onListen() {} },
    async (request) => {
      this.received.push({ path: new URL(request.url).pathname, text: await request.text() });
      return Response.json({});
    },
  );

  /** The variables by which the server sends to it what it has, and at once. */
  get env(): Record<string, string> {
    return {
      OTEL_DENO: "true",
      OTEL_EXPORTER_OTLP_ENDPOINT: `http://127.0.0.1:${this.#server.addr.port}`,
      OTEL_EXPORTER_OTLP_PROTOCOL: "http/json",
      OTEL_SERVICE_NAME: "jwks-server",
      OTEL_BSP_SCHEDULE_DELAY: "50",
      OTEL_METRIC_EXPORT_INTERVAL: "200",
    };
  }

  spans(): Span[] {
    return this.received.filter(({ path }) => path === "/v1/traces").flatMap(({ text }) =>
      JSON.parse(text).resourceSpans
        .flatMap(({ scopeSpans }: { scopeSpans: { spans: Span[] }[] }) => scopeSpans)
        .flatMap(({ spans }: { spans: Span[] }) => spans)
    );
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#server.shutdown();
  }
}

function attribute({ attributes }: Span, name: string): string | undefined {
  return attributes.find(({ key }) => key === name)?.value.stringValue;
}

Deno.test("with OTEL_DENO a collector receives a span of each request and the metrics, and no secret", async () => {
  await using collector = new Collector();
  await using server = await startSettled({ env: { ...collector.env, ...UNLIMITED } });
  const user = await server.register();
  const { username, password } = user;
  const basic = btoa(`${username}:${password}`);
  const answer = await server.post("/auth", user, {
    traceparent: `00-${TRACE}-00f067aa0ba902b7-01`,
  });
  assert.equal(answer.status, 200);
  const headers = { authorization: `Basic ${basic}` };
  assert.equal((await server.request("/auth", { method: "POST", headers })).status, 200);

  const spanOf = (path: string, status: string, trace = /./) =>
    eventually(
      `the span of ${path}`,
      () =>
        collector.spans().find((span) =>
          attribute(span, "url.path") === path && trace.test(span.traceId) &&
          attribute(span, "http.response.status_code") === status
        ),
    );
  const traced = await spanOf("/auth", "200", new RegExp(TRACE));
  assert.equal(attribute(traced, "http.request.method"), "POST");
  assert.equal(attribute(traced, "url.full"), `${server.url}/auth`);
  assert.equal((await server.request("/auth")).status, 405);
  await spanOf("/auth", "405");
  await eventually(
    "the metrics",
    () =>
      collector.received.find(({ path, text }) =>
        path === "/v1/metrics" && text.includes("http.server.request.duration")
      ),
  );
  const { trace_id } = server.stderr.split("\n").filter((line) => line.includes('"audit":true'))
    .map((line) => JSON.parse(line))[0];
  assert.equal(trace_id, TRACE);

  await server.kill(); // Deno's own last transmission, when it is told to stop, may never end
  const all = collector.received.map(({ text }) => text).join("\n");
  for (const secret of [password, basic, answer.json.token, answer.json.token.split(".")[2]]) {
    assert.ok(!all.includes(secret));
  }
});
