/** Bytes sent as they are over a connection of their own, and the answers that come back. */

import { within } from "../../lib/base/deadline.ts";
import { type Answer, connect, send } from "./client.ts";

export interface Conversation {
  answers: Pick<Answer, "status" | "headers" | "text">[];
  /** What came behind the last whole answer. */
  rest: string;
  /** Whether the server has ended the connection, and not the test's patience. */
  isClosed: boolean;
}

export interface ConverseOptions {
  /** How long to wait for the end, in milliseconds. */
  patience?: number;
  /** Whether the answers are to HEAD. */
  isHead?: boolean;
}

/** Sends characters as bytes, one for one, and reads until the server ends the connection. */
export async function converse(
  url: string,
  bytes: string | Uint8Array,
  { patience = 5000, isHead = false }: ConverseOptions = {},
): Promise<Conversation> {
  const connection = await connect(url);
  const data = typeof bytes === "string" ? latin1(bytes) : bytes;
  const sent = send(connection, data);
  const read = readAll(connection);
  const isClosed = await within(patience, read.ended);
  connection.close();
  await Promise.allSettled([sent, read.ended]);
  return { ...parseAnswers(read.text, isHead), isClosed };
}

/** A request with `Connection: close`, so that the server ends the connection after the answer. */
export function request(line: string, headers: readonly string[] = [], body = ""): string {
  const head = [`${line} HTTP/1.1`, "Host: localhost", ...headers, "Connection: close"];
  return `${head.join("\r\n")}\r\n\r\n${body}`;
}

/** Each character as the byte of its number. */
export function latin1(text: string): Uint8Array {
  return Uint8Array.from(text, (character) => character.charCodeAt(0));
}

function readAll(connection: Deno.Conn) {
  const reading = { text: "", ended: Promise.resolve() };
  reading.ended = (async () => {
    for (const buffer = new Uint8Array(16_384);;) {
      const size = await connection.read(buffer).catch(() => null); // reset, or closed by the test
      if (size === null) break;
      reading.text += String.fromCharCode(...buffer.subarray(0, size));
    }
  })();
  return reading;
}

function parseAnswers(text: string, isHead: boolean): Omit<Conversation, "isClosed"> {
  const answers: Conversation["answers"] = [];
  let rest = text;
  for (;;) {
    const [whole, status, lines] =
      /^HTTP\/1\.[01] (\d{3})[^\r\n]*\r\n((?:[^\r\n]+\r\n)*)\r\n/.exec(rest) ?? [];
    if (whole === undefined) return { answers, rest };
    const headers = new Headers(lines!.split("\r\n").slice(0, -1).map(toHeader));
    const length = isHead ? 0 : Number(headers.get("content-length") ?? 0);
    const end = whole.length + length;
    if (rest.length < end) return { answers, rest };
    const body = rest.slice(whole.length, end);
    if (status !== "100") answers.push({ status: Number(status), headers, text: body });
    rest = rest.slice(end);
  }
}

function toHeader(line: string): [string, string] {
  const colon = line.indexOf(":");
  return [line.slice(0, colon), line.slice(colon + 1).trim()];
}
