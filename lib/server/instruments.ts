/** What metrics are made of. This file is the only one that knows their library. */

import { Counter, Gauge, Histogram, type HistogramConfiguration, Registry } from "prom-client";
import type { Durations } from "./durations.ts";

/** A value with its labels; without any for a metric that has one value. */
export type Sample = readonly [labels: Labels, value: number];

export type Labels = Record<string, string>;

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

  /** The same for a histogram of lengths of time. */
  readHistogram(name: string, help: string, read: ReadDurations): void {
    new ReadHistogram({ name, help, registers: this.#registers }, read);
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
  info(name: string, help: string, labels: Labels): void {
    const labelNames = Object.keys(labels);
    new Gauge({ name, help, labelNames, registers: this.#registers }).set(labels, 1);
  }
}

type ReadDurations = () => readonly (readonly [labels: Labels, durations: Durations])[];

/** A histogram whose buckets somebody else fills: the library's own would cost each request more. */
class ReadHistogram extends Histogram {
  readonly #configuration: HistogramConfiguration<string>;
  readonly #read: ReadDurations;

  constructor(configuration: HistogramConfiguration<string>, read: ReadDurations) {
    super(configuration);
    this.#configuration = configuration;
    this.#read = read;
  }

  /** What a registry asks each histogram for; the library's types leave it out. */
  getForPromString() {
    const { name, help } = this.#configuration;
    const values = this.#read().flatMap(([labels, durations]) => samples(name, labels, durations));
    return Promise.resolve({ name, help, type: "histogram", values });
  }
}

function samples(name: string, labels: Labels, { bounds, sum, cumulative }: Durations) {
  return [
    ...cumulative.map((value, place) => ({
      metricName: `${name}_bucket`,
      labels: { le: bounds[place] ?? "+Inf", ...labels },
      value,
    })),
    { metricName: `${name}_sum`, labels, value: sum },
    { metricName: `${name}_count`, labels, value: cumulative.at(-1)! },
  ];
}
