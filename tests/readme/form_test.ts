import assert from "node:assert/strict";
import { anchorOf, linksOf } from "./document.ts";
import { README, ROOT } from "./readme.ts";

/** What fenced blocks may be; only `console` shows what comes out, and is run. */
const LANGUAGES = ["console", "sh", "ts", "python", "go", "java", "json", "sql", ""];

const { lines, headings, blocks, prose } = README;

Deno.test("the README has fewer than 540 lines", () => {
  assert.ok(lines.length < 540, String(lines.length));
});

Deno.test("no line of the README's prose is wider than 100 columns", () => {
  const wide = [...prose, ...headings].filter(({ text }) => [...text].length > 100);
  assert.deepEqual(wide, []);
});

Deno.test("the table of contents has every section of the README, in order, and no other", () => {
  const contents = prose.filter(({ line }) => line < headings[1]!.line)
    .map(({ text }) => text).join(" ");
  const told = [...contents.matchAll(/\[([^\]]+)\]\((#[^)]+)\)/g)].map((link) => link.slice(1));
  const sections = headings.filter(({ level }) => level === 2);
  assert.deepEqual(told, sections.map(({ text }) => [text, anchorOf(text)]));
});

Deno.test("every link of the README within the repository leads somewhere", async () => {
  const anchors = new Set(headings.map(({ text }) => anchorOf(text)));
  for (const { line, target } of linksOf(README)) {
    if (target.startsWith("#")) assert.ok(anchors.has(target), `README.md:${line}: ${target}`);
    else if (!URL.canParse(target)) await Deno.stat(new URL(target, ROOT));
  }
});

Deno.test("what the README shows at a prompt is in a console block, which is run", () => {
  for (const { line, language, lines } of blocks) {
    assert.ok(LANGUAGES.includes(language), `README.md:${line}: ${language}`);
    const hasPrompt = lines.some((text) => /^\s*\$ /.test(text));
    assert.ok(language === "console" || !hasPrompt, `README.md:${line}`);
  }
});
