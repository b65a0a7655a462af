/** What is bound to a statement, and what its columns give. */

import { types } from "pg";

/** A value that is bound to a statement: nothing that the driver would turn into text of its own. */
export type Value = string | number | bigint | boolean | Uint8Array | null | readonly Value[];

type Parse = (text: string) => unknown;

const { BOOL, BYTEA, FLOAT4, FLOAT8, INT2, INT4, INT8, OID } = types.builtins;

/** Reads both of PostgreSQL's forms of bytes; which one it gives is a setting of the server. */
const parseBytes = types.getTypeParser(BYTEA) as (text: string) => Uint8Array;

const PARSERS = new Map<number, Parse>([
  [BOOL, (text) => text === "t"],
  [BYTEA, (text) => new Uint8Array(parseBytes(text))],
  [FLOAT4, Number],
  [FLOAT8, Number],
  [INT2, Number],
  [INT4, Number],
  [INT8, parseBigInteger],
  [OID, Number],
]);

/** Anything else, and a time above all, is the text that the server sends. */
export const VALUE_TYPES = {
  getTypeParser: (oid: number): Parse => PARSERS.get(oid) ?? String,
};

/** A number, where JavaScript has it exactly. */
function parseBigInteger(text: string): number | string {
  const number = Number(text);
  return Number.isSafeInteger(number) ? number : text;
}
