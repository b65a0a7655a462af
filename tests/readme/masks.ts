/**
 * What is shown, compared with what came out. Only what must differ from run to run may differ, and
 * then keeps its form; what is shown twice as the same has to come out twice as the same.
 */

/** A kind of text that every run makes anew; `before` and `after` are where it stands. */
interface Mask {
  form: string;
  before?: string;
  after?: string;
  /** Whether it names something: shown again, it stands for the same thing. */
  isName?: boolean;
}

const HEX = "[0-9a-f]";

/** Each kind; where two fit, the first one counts. */
export const MASKS: Record<string, Mask> = {
  uuid: { form: `\\b${HEX}{8}-${HEX}{4}-4${HEX}{3}-[89ab]${HEX}{3}-${HEX}{12}\\b`, isName: true },
  instant: { form: "\\b20\\d\\d-\\d\\d-\\d\\d[ T]\\d\\d:\\d\\d:\\d\\d(?:\\.\\d{3})?(?!\\d)" },
  date: { form: "[A-Z][a-z]{2}, \\d\\d [A-Z][a-z]{2} 20\\d\\d \\d\\d:\\d\\d:\\d\\d GMT" },
  kid: { form: "\\b1[789]\\d{11}\\b", isName: true },
  seconds: { form: "\\b1[789]\\d{8}\\b" },
  etag: { before: '^etag: "', form: "[\\w-]{43}", after: '"$', isName: true },
  suffix: { before: "\\.old-", form: `${HEX}{8}`, after: "\\b", isName: true },
  size: { before: " ", form: "[1-9]\\d*", after: " (?:bytes|MiB)\\b" },
};

/** What is left out: as a line, some lines; within a line, what has neither space nor quote. */
const OMITTED = "…";
const OMITTED_FORM = '[^\\s"]+';

/** How far two times of a run may lie from each other otherwise than as shown, in milliseconds. */
const TIME_TOLERANCE = 5 * 60_000;

const PATTERN = new RegExp(
  [
    OMITTED,
    ...Object.entries(MASKS).map(([kind, { before, form, after }]) =>
      `${before ? `(?<=${before})` : ""}(?<${kind}>${form})${after ? `(?=${after})` : ""}`
    ),
  ].join("|"),
  "g",
);

/** A part of a line: as it must come out, or of a kind, of which what is left out is one, too. */
interface Piece {
  text: string;
  kind?: keyof typeof MASKS | "omitted";
}

/** Compares lines, and remembers what each name that is shown stands for. */
export class Comparison {
  #names: ReadonlyMap<string, string> = new Map();
  #offset: number | undefined;

  /** A command as it has to be typed in this run. */
  translate(command: string): string {
    return pieces(command).map(({ text }) => this.#names.get(text) ?? text).join("");
  }

  /** The first difference, in words; `undefined` when there is none. */
  findDifference(shown: readonly string[], actual: readonly string[]): string | undefined {
    let rest = actual;
    for (const [index, line] of shown.entries()) {
      if (line === OMITTED) {
        const next = shown[index + 1];
        const at = next === undefined ? rest.length : rest.findIndex((it) => this.#fit(next, it));
        if (at < 0) return difference(next!, rest);
        rest = rest.slice(at);
      } else {
        const found = rest[0] === undefined ? undefined : this.#fit(line, rest[0]);
        if (found === undefined) return difference(line, rest);
        ({ names: this.#names, offset: this.#offset } = found);
        rest = rest.slice(1);
      }
    }
    return rest.length > 0 ? difference("nothing more", rest) : undefined;
  }

  /** What is known when one line stands for the other; `undefined` when it cannot. */
  #fit(shown: string, actual: string) {
    const parts = pieces(shown);
    const match = new RegExp(`^${parts.map(source).join("")}$`).exec(actual);
    if (match === null) return undefined;
    const names = new Map(this.#names);
    let offset = this.#offset;
    for (
      const [index, { text, kind }] of parts.filter(({ kind }) => kind !== undefined).entries()
    ) {
      const came = match[index + 1]!;
      if (kind === "instant") {
        const apart = milliseconds(came) - milliseconds(text);
        offset ??= apart;
        const isInTime = Math.abs(apart - offset) <= TIME_TOLERANCE; // what is no time is not
        if (!isInTime || shapeOf(came) !== shapeOf(text)) return undefined;
      } else if (MASKS[kind!]?.isName) {
        const isTaken = !names.has(text) && [...names.values()].includes(came);
        if (isTaken || (names.get(text) ?? came) !== came) return undefined;
        names.set(text, came);
      }
    }
    return { names, offset };
  }
}

function milliseconds(instant: string): number {
  return Date.parse(`${instant.replace(" ", "T")}Z`);
}

function shapeOf(instant: string): string {
  return instant.replace(/\d/g, "0");
}

function difference(shown: string, came: readonly string[]): string {
  return `shown: ${shown}\ncame:  ${came.length === 0 ? "nothing more" : came.join("\n       ")}`;
}

/** The regular expression of a piece, a group when it varies. */
function source({ text, kind }: Piece): string {
  if (kind === undefined) return RegExp.escape(text);
  return `(${MASKS[kind]?.form ?? OMITTED_FORM})`;
}

function pieces(line: string): Piece[] {
  const found: Piece[] = [];
  let end = 0;
  for (const match of line.matchAll(PATTERN)) {
    const kind = Object.keys(MASKS).find((name) => match.groups![name] !== undefined);
    found.push({ text: line.slice(end, match.index) }, { text: match[0], kind: kind ?? "omitted" });
    end = match.index + match[0].length;
  }
  return [...found, { text: line.slice(end) }];
}
