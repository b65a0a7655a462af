/** The log: JSON lines that never block the server and never hold a secret. */

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

/** Makes a log that gives `sink` every line at `level` or above. */
export function createLog(level: LogLevel, sink: LogSink, now: () => number = Date.now): Log {
  const lowest = LOG_LEVELS.indexOf(level);
  const writer = (own: LogLevel) => (message: string, fields: LogFields = {}) => {
    if (LOG_LEVELS.indexOf(own) < lowest) return;
    sink(printableJson({ time: new Date(now()).toISOString(), level: own, message, ...fields }));
  };
  return {
    debug: writer("debug"),
    info: writer("info"),
    warn: writer("warn"),
    error: writer("error"),
  };
}

/** The fields that describe an unexpected error: never shown to a client, only logged. */
export function errorFields(error: unknown): LogFields {
  if (!(error instanceof Error)) return { error: typeof error };
  const fields: LogFields = { error: error.message, name: error.name };
  if (error.stack) fields.stack = error.stack;
  if (error.cause instanceof Error) fields.cause = error.cause.message;
  return fields;
}

/**
 * A sink over an asynchronous writer. At most `capacity` lines wait: when the reader of the stream
 * stands still, later lines are dropped and counted, and the count is written once it moves again.
 */
export class BufferedSink {
  readonly #write: (bytes: Uint8Array) => Promise<unknown>;
  readonly #capacity: number;
  #waiting: string[] = [];
  #dropped = 0;
  #draining: Promise<void> | undefined;

  constructor(write: (bytes: Uint8Array) => Promise<unknown>, capacity = 10_000) {
    this.#write = write;
    this.#capacity = capacity;
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
      const notice = { level: "warn", message: "log lines were dropped", dropped };
      const text = dropped > 0 ? [...lines, JSON.stringify(notice)] : lines;
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
}
