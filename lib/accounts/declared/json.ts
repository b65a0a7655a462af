/** A file of clients as JSON that every reader understands in one way. */

import { type JSONPath, visit } from "jsonc-parser";
import type { Problem } from "./problem.ts";

/** How many objects and arrays may stand in each other. */
const DEPTH = 64;

/** The value in `text`, and what in it two readers might take for different things. */
export function parseDeclarationJson(text: string): { value: unknown; problems: Problem[] } {
  try {
    return { value: JSON.parse(text), problems: ambiguities(text) };
  } catch (error) {
    // The message quotes what stands there, which may be a hash.
    const [, line, column] = /line (\d+) column (\d+)/.exec((error as Error).message) ?? [];
    const place = line === undefined ? "" : ` (line ${line}, column ${column})`;
    const isTooDeep = error instanceof RangeError;
    const message = isTooDeep ? "is nested too deeply" : `is not JSON${place}`;
    return { value: undefined, problems: [{ path: [], message }] };
  }
}

/** Repeated names (RFC 8259 §4), names that JavaScript loses, and numbers that are not exact (§6). */
function ambiguities(text: string): Problem[] {
  const problems: Problem[] = [];
  const names: Set<string>[] = []; // an array has none
  const begin = () => {
    names.push(new Set());
    if (names.length > DEPTH) throw new RangeError();
  };
  const end = () => void names.pop();
  visit(text, {
    onObjectBegin: begin,
    onObjectEnd: end,
    onArrayBegin: begin,
    onArrayEnd: end,
    onObjectProperty(name, _offset, _length, _line, _column, pathOf) {
      const seen = names.at(-1)!;
      const path = [...pathOf(), name];
      if (seen.has(name)) problems.push({ path, message: "this name is repeated" });
      if (name === "__proto__") problems.push({ path, message: "this name cannot be a member's" });
      seen.add(name);
    },
    onLiteralValue(value, _offset, _length, _line, _column, pathOf: () => JSONPath) {
      if (!Number.isInteger(value) || Number.isSafeInteger(value)) return;
      problems.push({ path: pathOf(), message: "the number is too large to be exact" });
    },
  });
  return problems;
}
