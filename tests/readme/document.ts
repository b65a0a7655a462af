/** The README as its tests read it: headings, fenced blocks, tables, links and prose. */

/** Where something stands, for messages: line numbers begin with 1. */
interface Located {
  line: number;
}

export interface Heading extends Located {
  level: number;
  text: string;
}

/** A fenced block: what its fence says that it is, and its lines. */
export interface Block extends Located {
  language: string;
  lines: string[];
}

/** A table: its heading and its rows, cell by cell. */
export interface Table extends Located {
  columns: string[];
  rows: string[][];
}

export interface Document {
  lines: string[];
  headings: Heading[];
  blocks: Block[];
  tables: Table[];
  /** What is neither a heading, nor within a fence, nor a table. */
  prose: (Located & { text: string })[];
}

/** Reads Markdown in the form that `deno fmt` gives it. @throws {Error} when a fence stays open. */
export function readDocument(text: string): Document {
  const lines = text.trimEnd().split("\n");
  const document: Document = { lines, headings: [], blocks: [], tables: [], prose: [] };
  let block: Block | undefined;
  let table: Table | undefined;
  for (const [index, content] of lines.entries()) {
    const line = index + 1;
    const [, marks, title] = /^(#{1,6}) (.+)$/.exec(content) ?? [];
    const isRow = block === undefined && content.startsWith("|");
    if (!isRow) table = undefined;
    if (block !== undefined) {
      if (content === "```") block = undefined;
      else block.lines.push(content);
    } else if (content.startsWith("```")) {
      block = { line, language: content.slice(3), lines: [] };
      document.blocks.push(block);
    } else if (title !== undefined) {
      document.headings.push({ line, level: marks!.length, text: title });
    } else if (!isRow) document.prose.push({ line, text: content });
    else if (table === undefined) {
      table = { line, columns: cellsOf(content), rows: [] };
      document.tables.push(table);
    } else if (!/^[|\s:-]+$/.test(content)) table.rows.push(cellsOf(content));
  }
  if (block !== undefined) throw new Error(`The block of line ${block.line} has no end`);
  return document;
}

function cellsOf(row: string): string[] {
  return row.split(/(?<!\\)\|/).slice(1, -1).map((cell) => cell.trim());
}

/** The fragment of a link within the page to a heading, as GitHub makes it. */
export function anchorOf(heading: string): string {
  return `#${heading.toLowerCase().replace(/[^\p{L}\p{N}\s_-]/gu, "").replaceAll(" ", "-")}`;
}

/** The targets of all links and pictures. */
export function linksOf({ prose, tables }: Document): (Located & { target: string })[] {
  const rows = tables.flatMap(({ line, rows }) =>
    rows.map((cells) => ({ line, text: `${cells}` }))
  );
  return [...prose, ...rows].flatMap(({ line, text }) =>
    [...text.matchAll(/(?:\]\(| src=")([^)"\s]+)[)"]/g)].map(([, target]) => ({
      line,
      target: target!,
    }))
  );
}

/** What a text marks as code, piece by piece. */
export function codesOf(text: string): string[] {
  return [...text.matchAll(/`([^`]+)`/g)].map(([, code]) => code!);
}
