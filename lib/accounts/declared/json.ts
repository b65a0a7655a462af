/** A file of clients as JSON that every reader understands in one way. */

import { type JSONPath, visit } from "jsonc-parser";
import type { Problem } from "./problem.ts";

/** How many objects and arrays may stand in each other. */
const DEPTH = 64;

/** Why a text is not read to its end, in words that quote nothing of it: that may be a hash. */
class Fault extends Error {}

/** The value in `text`, and what in it two readers might take for different things. */
export function parseDeclarationJson(text: string): { value: unknown; problems: Problem[] } {
  try {
    const problems = ambiguities(text);
    return { value: JSON.parse(text), problems };
  } catch (error) {
    const message = error instanceof Fault ? error.message : "is not JSON";
    return { value: undefined, problems: [{ path: [], message }] };
  }
}

/**
 * Repeated names (RFC 8259 §4), names that JavaScript loses, and numbers that are not exact (§6).
 *
 * @throws {Fault} for what is no JSON, with its place, which `JSON.parse` tells only now and then;
 * and for what is nested too deeply.
 */
function ambiguities(text: string): Problem[] {
  const problems: Problem[] = [];
  const names: Set<string>[] = []; // an array has none
  const begin = () => {
    names.push(new Set());
    if (names.length > DEPTH) throw new Fault("is nested too deeply");
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
    onError(_code, _offset, _length, line, column) {
      throw new Fault(`is not JSON (line ${line + 1}, column ${column + 1})`);
    },
  }, { disallowComments: true });
  return problems;
}
