/** The log: lines that never block the server and never hold a secret. */

import { firstReason } from "./first_reason.ts";
import { printableJson } from "./text.ts";

/** The levels, most talkative first. */
export const LOG_LEVELS = ["debug", "info", "warn", "error"] as const;
export type LogLevel = (typeof LOG_LEVELS)[number];

/** What a line may carry beside its message: plain values, chosen one by one by the caller. */
export type LogFields = Record<string, string | number | boolean | readonly string[]>;

/** Writes one line at a level, when that level is enabled. */
export type Log = Record<LogLevel, (message: string, fields?: LogFields) => void>;

/** Takes a finished line; must not wait. */
export type LogSink = (line: string) => void;

/** What is logged at once. */
export interface LogEntry {
  /** In milliseconds since the epoch. */
  time: number;
  level: LogLevel;
  message: string;
  fields: LogFields;
}

/** Makes the text of an entry, without a line break at its end. */
export type LogFormat = (entry: LogEntry) => string;

/** An entry for programs: one line of JSON. */
export const formatJson: LogFormat = ({ time, level, message, fields }) =>
  printableJson({ time: new Date(time).toISOString(), level, message, ...fields });

/** Makes a log that gives `sink` every line at `level` or above. */
export function createLog(
  level: LogLevel,
  sink: LogSink,
  now: () => number = Date.now,
  format: LogFormat = formatJson,
): Log {
  const lowest = LOG_LEVELS.indexOf(level);
  const writer = (own: LogLevel) => (message: string, fields: LogFields = {}) => {
    if (LOG_LEVELS.indexOf(own) < lowest) return;
    sink(format({ time: now(), level: own, message, fields }));
  };
  return {
    debug: writer("debug"),
    info: writer("info"),
    warn: writer("warn"),
    error: writer("error"),
  };
}

/** The fields that describe an unexpected error, and what it came from: never shown to a client, only logged. */
export function errorFields(error: unknown): LogFields {
  if (!(error instanceof Error)) return { error: typeof error };
  const fields = failureFields(error);
  if (error.stack) fields.stack = error.stack;
  return fields;
}

/** The same without where in the program it was: for what is expected, and may come often. */
export function failureFields(error: Error): LogFields {
  const fields: LogFields = { error: error.message, name: error.name };
  if (error.cause instanceof Error) fields.cause = firstReason(error.cause);
  return fields;
}

/**
 * A sink over an asynchronous writer. At most `capacity` lines wait: when the reader of the stream
 * stands still, later lines are dropped and counted, and the count is written once it moves again.
 */
export class BufferedSink {
  readonly #write: (bytes: Uint8Array) => Promise<unknown>;
  readonly #capacity: number;
  readonly #format: LogFormat;
  #waiting: string[] = [];
  #dropped = 0;
  #draining: Promise<void> | undefined;

  constructor(
    write: (bytes: Uint8Array) => Promise<unknown>,
    { capacity = 10_000, format = formatJson }: { capacity?: number; format?: LogFormat } = {},
  ) {
    this.#write = write;
    this.#capacity = capacity;
    this.#format = format;
  }

  /** Takes a line (without its newline) and returns at once. */
  readonly push: LogSink = (line) => {
    if (this.#waiting.length >= this.#capacity) {
      this.#dropped++;
      return;
    }
    this.#waiting.push(line);
    this.#draining ??= this.#drain();
  };

  /** Resolves when every line taken so far is written or lost. */
  async flush(): Promise<void> {
    await this.#draining;
  }

  async #drain(): Promise<void> {
    while (this.#waiting.length > 0) {
      const lines = this.#waiting;
      const dropped = this.#dropped;
      this.#waiting = [];
      const text = dropped > 0 ? [...lines, this.#noticeOf(dropped)] : lines;
      try {
        await this.#write(new TextEncoder().encode(text.join("\n") + "\n"));
        this.#dropped -= dropped;
      } catch {
        // The stream is gone (a closed pipe): there is nowhere left to report that to.
        this.#dropped += lines.length;
      }
    }
    this.#draining = undefined;
  }

  #noticeOf(dropped: number): string {
    const message = "log lines were dropped";
    return this.#format({ time: Date.now(), level: "warn", message, fields: { dropped } });
  }
}
