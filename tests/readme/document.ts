/** The README as its tests read it: headings, fenced blocks, tables, links and prose. */

/** Where a line stands, for messages: line numbers begin with 1. */
interface Located {
  line: number;
}

export interface Heading extends Located {
  level: number;
  text: string;
}

/** A fenced block: what the fence says that it is, and its lines. */
export interface Block extends Located {
  language: string;
  lines: string[];
}

/** A row of a table, cell by cell; the row of dashes is left out. */
export interface TableRow extends Located {
  /** The heading that it stands under. */
  section: string;
  cells: string[];
}

export interface Document {
  lines: string[];
  headings: Heading[];
  blocks: Block[];
  rows: TableRow[];
  /** What is neither a heading, nor within a fence, nor a row of a table. */
  prose: (Located & { text: string })[];
}

const FENCE = /^```(\w*)$/;

/** Reads Markdown in the form that `deno fmt` gives it. @throws {Error} when a fence stays open. */
export function readDocument(text: string): Document {
  const lines = text.trimEnd().split("\n");
  const document: Document = { lines, headings: [], blocks: [], rows: [], prose: [] };
  let block: Block | undefined;
  for (const [index, content] of lines.entries()) {
    const line = index + 1;
    if (block !== undefined) {
      if (content !== "```") block.lines.push(content);
      else block = undefined;
    } else if (content.startsWith("```")) {
      block = { line, language: FENCE.exec(content)?.[1] ?? content, lines: [] };
      document.blocks.push(block);
    } else readOutside(document, content, line);
  }
  if (block !== undefined) throw new Error(`The block of line ${block.line} has no end`);
  return document;
}

function readOutside({ headings, rows, prose }: Document, text: string, line: number): void {
  const [, marks, title] = /^(#{1,6}) (.+)$/.exec(text) ?? [];
  if (title !== undefined) headings.push({ line, level: marks!.length, text: title });
  else if (!text.startsWith("|")) prose.push({ line, text });
  else if (!/^[|\s:-]+$/.test(text)) {
    const cells = text.split(/(?<!\\)\|/).slice(1, -1).map((cell) => cell.trim());
    rows.push({ line, section: headings.at(-1)?.text ?? "", cells });
  }
}

/** What a link within the page to a heading says, as GitHub makes it. */
export function anchorOf(heading: string): string {
  return heading.toLowerCase().replace(/[^\p{L}\p{N}\s_-]/gu, "").replaceAll(" ", "-");
}

/** The targets of all links and pictures. */
export function linksOf({ prose, rows }: Document): (Located & { target: string })[] {
  const texts = [...prose, ...rows.map(({ line, cells }) => ({ line, text: cells.join(" ") }))];
  return texts.flatMap(({ line, text }) =>
    [...text.matchAll(/\]\(([^)\s]+)\)/g)].map(([, target]) => ({ line, target: target! }))
  );
}

/** The first cells of the rows of a section, without the marks of code. */
export function firstCells({ rows }: Document, section: string): string[] {
  return rows.filter((row) => row.section === section).map(({ cells }) => bare(cells[0]!));
}

/** A cell without the marks of code. */
export function bare(cell: string): string {
  return cell.replaceAll("`", "");
}
