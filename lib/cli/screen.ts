/** A terminal with a person at it, who reads a screenful and then asks for the next. */

export interface Screen {
  /** Lines that fit in. */
  height(): number;
  /** Waits for the reader; false when that one has seen enough. */
  wantsMore(): boolean;
}

const QUESTION = "-- Enter: more, q: enough --";

/** To the beginning of the line above, which is emptied: the question and its answer are gone. */
const ERASE = "\x1b[1A\r\x1b[2K";

/** The terminal of this process, if it both writes to one and is typed into. */
export function findScreen(): Screen | undefined {
  if (!Deno.stdout.isTerminal() || !Deno.stdin.isTerminal()) return undefined;
  return { height: () => Deno.consoleSize().rows, wantsMore: askForMore };
}

/** Asks on the terminal, and reads a line: until Enter is pressed, no program is given any of it. */
export function askForMore(): boolean {
  const say = (text: string) => Deno.stdout.writeSync(new TextEncoder().encode(text));
  const answer = new Uint8Array(256);
  say(QUESTION);
  const length = Deno.stdin.readSync(answer) ?? 0; // nothing: the terminal is gone, or Ctrl-D
  say(length === 0 ? "\n" : ERASE);
  return length > 0 && !new TextDecoder().decode(answer.subarray(0, length)).startsWith("q");
}
