/**
 * Metrics, and all of them as text (https://prometheus.io/docs/instrumenting/exposition_formats/,
 * version 0.0.4). The format's reference library cannot be compiled into an executable: reading one
 * of its dependencies overflows the compiler's stack.
 */

import type { Durations } from "./durations.ts";

export type Labels = Readonly<Record<string, string>>;

/** A value with its labels; without any for a metric that has one value. */
export type Sample = readonly [labels: Labels, value: number];

/** A counter that is told of what happens. */
export interface Counter<Label extends string> {
  inc(labels: Readonly<Record<Label, string>>, by?: number): void;
}

type ReadDurations = () => readonly (readonly [labels: Labels, durations: Durations])[];

/** A line: what comes after the metric's name, its labels and its value. */
type Line = readonly [suffix: string, labels: Labels, value: number];

interface Metric {
  name: string;
  help: string;
  type: "counter" | "gauge" | "histogram";
  read: () => readonly Line[] | Promise<readonly Line[]>;
}

/** Makes metrics, and renders them all as text. */
export class Instruments {
  readonly #metrics = new Map<string, Metric>();

  /** The media type of `render`. */
  readonly contentType = "text/plain; version=0.0.4; charset=utf-8";

  /** Every metric, in the order in which they were made. */
  async render(): Promise<string> {
    const texts = await Promise.all([...this.#metrics.values()].map(textOf));
    return texts.join("");
  }

  counter<Label extends string>(
    name: string,
    help: string,
    labels: readonly Label[],
  ): Counter<Label> {
    const samples = new Map<string, [labels: Labels, value: number]>();
    this.readCounter(name, help, () => [...samples.values()]);
    return {
      inc(given, by = 1) {
        const key = JSON.stringify(labels.map((label) => given[label]));
        const sample = samples.get(key) ?? [given, 0];
        sample[1] += by;
        samples.set(key, sample);
      },
    };
  }

  /** A counter whose values are asked for whenever somebody reads it. */
  readCounter(name: string, help: string, read: () => readonly Sample[]): void {
    this.#add({ name, help, type: "counter", read: () => read().map(asLine) });
  }

  /** The same for a histogram of lengths of time. */
  readHistogram(name: string, help: string, read: ReadDurations): void {
    const lines = () => read().flatMap(([labels, durations]) => linesOf(labels, durations));
    this.#add({ name, help, type: "histogram", read: lines });
  }

  /** The same for a gauge without labels, which has no value where `undefined` is read. */
  readGauge(
    name: string,
    help: string,
    read: () => number | undefined | Promise<number | undefined>,
  ): void {
    const lines = async () => {
      const value = await read();
      return value === undefined ? [] : [asLine([{}, value])];
    };
    this.#add({ name, help, type: "gauge", read: lines });
  }

  /** A gauge that is always 1 and tells something by its labels. */
  info(name: string, help: string, labels: Labels): void {
    this.#add({ name, help, type: "gauge", read: () => [asLine([labels, 1])] });
  }

  #add(metric: Metric): void {
    if (this.#metrics.has(metric.name)) throw new TypeError(`There is a ${metric.name} already`);
    this.#metrics.set(metric.name, metric);
  }
}

function asLine([labels, value]: Sample): Line {
  return ["", labels, value];
}

function linesOf(labels: Labels, { bounds, sum, cumulative }: Durations): Line[] {
  const buckets = cumulative.map((count, place): Line => {
    const le = place < bounds.length ? String(bounds[place]) : "+Inf";
    return ["_bucket", { le, ...labels }, count];
  });
  return [...buckets, ["_sum", labels, sum], ["_count", labels, cumulative.at(-1)!]];
}

async function textOf({ name, help, type, read }: Metric): Promise<string> {
  const lines = (await read()).map(([suffix, labels, value]) => {
    const pairs = Object.entries(labels).map(([label, text]) => `${label}="${escapeLabel(text)}"`);
    return `${name}${suffix}${pairs.length === 0 ? "" : `{${pairs}}`} ${value}\n`;
  });
  return `# HELP ${name} ${escapeHelp(help)}\n# TYPE ${name} ${type}\n${lines.join("")}`;
}

function escapeHelp(text: string): string {
  return text.replaceAll("\\", "\\\\").replaceAll("\n", "\\n");
}

function escapeLabel(text: string): string {
  return escapeHelp(text).replaceAll('"', '\\"');
}
