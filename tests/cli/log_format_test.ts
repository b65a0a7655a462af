import assert from "node:assert/strict";
import type { LogEntry } from "../../lib/base/log.ts";
import { chooseLogFormat } from "../../lib/cli/log_format.ts";

const ENTRY: LogEntry = { time: 0, level: "info", message: "stopped", fields: {} };
const TEXT = "1970-01-01 00:00:00Z INFO  stopped";
const JSON_LINE = '{"time":"1970-01-01T00:00:00.000Z","level":"info","message":"stopped"}';

/** Who reads: a program, a person, and a person whose terminal takes colour. */
const PIPE = { isTerminal: false, isColoured: false };
const PLAIN = { isTerminal: true, isColoured: false };
const COLOURED = { isTerminal: true, isColoured: true };

Deno.test("chooseLogFormat() gives JSON to a pipe and text to a terminal, unless LOG_FORMAT says otherwise", () => {
  for (
    const [asked, reader, line] of [
      [undefined, PIPE, JSON_LINE],
      [undefined, PLAIN, TEXT],
      ["text", PIPE, TEXT],
      ["json", PLAIN, JSON_LINE],
      ["json", COLOURED, JSON_LINE],
    ] as const
  ) {
    assert.equal(chooseLogFormat(asked, reader)(ENTRY), line);
  }
});

Deno.test("chooseLogFormat() takes colour for text alone, and only where the terminal takes it", () => {
  assert.ok(chooseLogFormat(undefined, COLOURED)(ENTRY).includes("\x1b["));
  assert.ok(!chooseLogFormat("text", PLAIN)(ENTRY).includes("\x1b["));
});
