/** The listener for those who watch the server (`METRICS_ADDRESS`): its metrics and its health. */

import type { Log } from "../base/log.ts";
import type { Server } from "../http/listener.ts";
import { createMetricsApp } from "../http/metrics_app.ts";
import { serverUrl } from "./address.ts";
import type { Config } from "./config.ts";
import { listen } from "./listen.ts";
import { Metrics } from "./metrics.ts";
import type { WatchedParts } from "./watched_parts.ts";

export class Watch {
  readonly #server: Server;
  readonly #log: Log;
  #metrics: Metrics | undefined;

  private constructor(server: Server, log: Log) {
    this.#server = server;
    this.#log = log;
  }

  /** @throws {DomainError} `failed` when the address cannot be bound. */
  static listen({ metricsAddress: address }: Config, log: Log): Watch | undefined {
    if (address === undefined) return undefined;
    const { host: hostname, port } = address;
    return new Watch(listen({ hostname, port, log }, "METRICS_ADDRESS"), log);
  }

  /** @param issuer the URL of the server whose routes are counted. */
  createMetrics(issuer: string): Metrics {
    return this.#metrics = new Metrics(issuer);
  }

  /** Answers requests from now on; `createMetrics` was called before. */
  begin(parts: WatchedParts): void {
    const { findHindrance } = parts;
    const metrics = this.#metrics!;
    metrics.watch(parts);
    const { render, contentType } = metrics;
    const log = this.#log;
    const app = createMetricsApp({ render, contentType, findHindrance, log });
    this.#server.begin((request, info) => app.fetch(request, info));
    const { host, port } = this.#server;
    log.info("metrics are served", { url: `${serverUrl(host, port)}/metrics` });
  }

  async stop(grace: number): Promise<void> {
    await this.#server.stop(grace);
  }
}
