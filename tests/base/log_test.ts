import assert from "node:assert/strict";
import { BufferedSink, createLog, errorFields, LOG_LEVELS } from "../../lib/base/log.ts";

Deno.test("createLog() writes a line of JSON with time, level, message and fields", () => {
  const lines: string[] = [];
  const log = createLog("info", (line) => void lines.push(line), () => 0);
  log.info("a key was made", { kid: "1", count: 2 });
  assert.deepEqual(lines.map((line) => JSON.parse(line)), [{
    time: "1970-01-01T00:00:00.000Z",
    level: "info",
    message: "a key was made",
    kid: "1",
    count: 2,
  }]);
});

Deno.test("createLog() keeps a line whole when a message holds line breaks", () => {
  const lines: string[] = [];
  createLog("info", (line) => void lines.push(line)).warn('a\n{"level":"error"}\r\nb');
  assert.equal(lines.length, 1);
  assert.doesNotMatch(lines[0]!, /[\r\n]/);
});

Deno.test("createLog() drops what is below its level", () => {
  LOG_LEVELS.forEach((level, index) => {
    const seen: string[] = [];
    const log = createLog(level, (line) => void seen.push(JSON.parse(line).level));
    for (const own of LOG_LEVELS) log[own]("message");
    assert.deepEqual(seen, LOG_LEVELS.slice(index));
  });
});

Deno.test("errorFields() describes an error and its cause, and of other values only the type", () => {
  const error = new TypeError("it broke", { cause: new Error("deep down") });
  const fields = errorFields(error);
  assert.equal(fields.name, "TypeError");
  assert.equal(fields.error, "it broke");
  assert.equal(fields.cause, "deep down");
  assert.match(String(fields.stack), /it broke/);
  assert.deepEqual(errorFields("a password"), { error: "string" });
});

Deno.test("errorFields() says why in the words of who failed first", () => {
  const refused = Object.assign(new Error(""), { code: "ECONNREFUSED" });
  const failed = new Error("all of them failed", { cause: new AggregateError([refused, refused]) });
  const error = new Error("The database is unreachable", { cause: failed });
  assert.equal(errorFields(error).cause, "ECONNREFUSED; ECONNREFUSED");
  assert.equal(errorFields(new Error("a", { cause: new TypeError() })).cause, "TypeError");
});

/** A stream whose every write ends only when `release` or `fail` says so. */
class StuckStream {
  readonly written: string[] = [];
  #pending = Promise.withResolvers<void>();

  readonly write = async (bytes: Uint8Array): Promise<void> => {
    const text = new TextDecoder().decode(bytes);
    await this.#pending.promise;
    this.written.push(text);
  };

  release(): void {
    this.#pending.resolve();
    this.#pending = Promise.withResolvers();
    this.#pending.resolve();
  }

  async fail(): Promise<void> {
    const failed = this.#pending;
    this.#pending = Promise.withResolvers();
    failed.reject(new Deno.errors.BrokenPipe("broken pipe"));
    for (let turn = 0; turn < 10; turn++) await Promise.resolve();
  }

  get lines(): string[] {
    return this.written.join("").split("\n").slice(0, -1);
  }
}

function droppedIn(lines: readonly string[]): number {
  return lines.filter((line) => line.startsWith("{"))
    .reduce((sum, line) => sum + JSON.parse(line).dropped, 0);
}

Deno.test("BufferedSink writes every line in order, each with its newline", async () => {
  const written: string[] = [];
  const sink = new BufferedSink(async (bytes) => {
    await Promise.resolve();
    written.push(new TextDecoder().decode(bytes));
  });
  const lines = Array.from({ length: 100 }, (_, index) => `line ${index}`);
  for (const line of lines) sink.push(line);
  await sink.flush();
  assert.equal(written.join(""), lines.map((line) => `${line}\n`).join(""));
});

Deno.test("BufferedSink drops and counts lines while its reader stands still", async () => {
  const stream = new StuckStream();
  const sink = new BufferedSink(stream.write, { capacity: 3 });
  sink.push("first"); // being written from here on
  for (let index = 0; index < 50; index++) sink.push(`line ${index}`);
  stream.release();
  await sink.flush();
  const own = stream.lines.filter((line) => !line.startsWith("{"));
  assert.deepEqual(own, ["first", "line 0", "line 1", "line 2"]);
  assert.equal(droppedIn(stream.lines), 47);
});

Deno.test("BufferedSink tells a drop once, and takes lines again afterwards", async () => {
  const stream = new StuckStream();
  const sink = new BufferedSink(stream.write, { capacity: 1 });
  for (const line of ["a", "b", "c"]) sink.push(line);
  stream.release();
  await sink.flush();
  sink.push("d");
  await sink.flush();
  assert.equal(stream.lines.at(-1), "d");
  assert.equal(droppedIn(stream.lines), 1);
});

Deno.test("BufferedSink survives a closed pipe and never throws at the one who logs", async () => {
  let calls = 0;
  const sink = new BufferedSink(() => {
    calls++;
    return Promise.reject(new Deno.errors.BrokenPipe("broken pipe"));
  });
  sink.push("a");
  await sink.flush();
  sink.push("b");
  await sink.flush();
  assert.equal(calls, 2);
});

Deno.test("BufferedSink counts every lost line, also those that a failed notice was about", async () => {
  const stream = new StuckStream();
  const sink = new BufferedSink(stream.write, { capacity: 1 });
  for (const line of ["a", "b", "c", "d"]) sink.push(line); // b waits; c and d are dropped
  await stream.fail(); // a is lost
  await stream.fail(); // b is lost, and with it the notice of the three others
  stream.release();
  sink.push("e");
  await sink.flush();
  assert.deepEqual(stream.lines[0], "e");
  assert.equal(droppedIn(stream.lines), 4);
});

Deno.test("BufferedSink.flush() ends at once when nothing was logged", async () => {
  const sink = new BufferedSink(() => Promise.reject(new Error("not called")));
  assert.equal(await sink.flush(), undefined);
});

Deno.test("createLog() writes nothing that a terminal would obey", () => {
  const lines: string[] = [];
  const log = createLog("info", (line) => void lines.push(line));
  log.warn("a\u009b31m", { username: "\u202eb\u001b[2J" });
  // deno-lint-ignore no-control-regex -- control characters are what is looked for
  assert.doesNotMatch(lines[0]!, /[\u0000-\u001f\u007f-\u009f\u202e]/);
  assert.equal(JSON.parse(lines[0]!).username, "\u202eb\u001b[2J");
});
