/** What metrics are made of. This file is the only one that knows their library. */

import { Counter, Gauge, Histogram, Registry } from "prom-client";

/** A value with its labels; without any for a metric that has one value. */
export type Sample = readonly [labels: Record<string, string>, value: number];

/** Makes metrics, and renders them all as text. */
export class Instruments {
  readonly #registry = new Registry();
  readonly #registers = [this.#registry];

  /** The media type of `render`. */
  get contentType(): string {
    return this.#registry.contentType;
  }

  /** Every metric in the text format of Prometheus. */
  render(): Promise<string> {
    return this.#registry.metrics();
  }

  /** A counter that is told of what happens. */
  counter<Label extends string>(
    name: string,
    help: string,
    labels: readonly Label[],
  ): Counter<Label> {
    return new Counter({ name, help, labelNames: [...labels], registers: this.#registers });
  }

  /** A histogram that is told lengths of time, in seconds; `buckets` are upper bounds. */
  histogram<Label extends string>(
    name: string,
    help: string,
    { buckets, labels = [] }: { buckets: readonly number[]; labels?: readonly Label[] },
  ): Histogram<Label> {
    const labelNames = [...labels];
    const registers = this.#registers;
    return new Histogram({ name, help, buckets: [...buckets], labelNames, registers });
  }

  /** A counter whose values are asked for whenever somebody reads it. */
  readCounter(
    name: string,
    help: string,
    labels: readonly string[],
    read: () => readonly Sample[],
  ): void {
    new Counter({
      name,
      help,
      labelNames: [...labels],
      registers: this.#registers,
      collect() {
        this.reset();
        for (const [labels, value] of read()) this.inc(labels, value);
      },
    });
  }

  /** The same for a gauge without labels, which has no value where `undefined` is read. */
  readGauge(
    name: string,
    help: string,
    read: () => number | undefined | Promise<number | undefined>,
  ): void {
    new Gauge({
      name,
      help,
      registers: this.#registers,
      async collect() {
        const value = await read();
        if (value === undefined) this.remove();
        else this.set(value);
      },
    });
  }

  /** A gauge that is always 1 and tells something by its labels. */
  info(name: string, help: string, labels: Record<string, string>): void {
    const labelNames = Object.keys(labels);
    new Gauge({ name, help, labelNames, registers: this.#registers }).set(labels, 1);
  }
}
