import assert from "node:assert/strict";
import { anchorOf, codesOf, linksOf, readDocument } from "./document.ts";
import { findMistake } from "./program.ts";
import { readTranscript } from "./transcript.ts";

const TEXT = `# Title

Text with \`code\` and a [link](#a-section).

## A section

| name | meaning |
| ---- | ------- |
| \`a\`  | [b](c)  |

\`\`\`console
$ one \\
    more
| no table
# no heading

$ two
\`\`\`
`;

Deno.test("readDocument() tells headings, blocks, tables and prose apart", () => {
  const { headings, blocks, tables, prose } = readDocument(TEXT);
  assert.deepEqual(headings, [
    { line: 1, level: 1, text: "Title" },
    { line: 5, level: 2, text: "A section" },
  ]);
  assert.deepEqual(tables, [{ line: 7, columns: ["name", "meaning"], rows: [["`a`", "[b](c)"]] }]);
  assert.deepEqual(blocks.map(({ line, language }) => ({ line, language })), [
    { line: 11, language: "console" },
  ]);
  assert.deepEqual(prose.map(({ text }) => text).filter(Boolean), [TEXT.split("\n")[2]]);
});

Deno.test("readDocument() refuses a block that has no end", () => {
  assert.throws(() => readDocument("```sh\na"), /line 1 has no end/);
});

Deno.test("linksOf() has those of the text, of the tables and of pictures", () => {
  const picture = '\n<img src="a.png" alt="b">\n';
  const targets = linksOf(readDocument(TEXT + picture)).map(({ target }) => target);
  assert.deepEqual(targets, ["#a-section", "a.png", "c"]);
});

Deno.test("anchorOf() and codesOf() read as GitHub does", () => {
  assert.equal(anchorOf("Why `this`, and not that?"), "#why-this-and-not-that");
  assert.deepEqual(codesOf("`a`, `b c`"), ["a", "b c"]);
});

Deno.test("readTranscript() gives each command with its output, and knows no other line", () => {
  const [block] = readDocument(TEXT).blocks;
  assert.deepEqual(readTranscript(block!), [
    { line: 12, command: "one \\\n    more", output: ["| no table", "# no heading"] },
    { line: 17, command: "two", output: [] },
  ]);
  assert.throws(
    () => readTranscript({ line: 1, language: "console", lines: ["output", "$ command"] }),
    /line 1 does not begin with a command/,
  );
});

Deno.test("readTranscript() takes a here-document for a part of its command", () => {
  const lines = ["$ cat <<'END'", "$ text", "END", "$ text"];
  assert.deepEqual(readTranscript({ line: 1, language: "console", lines }), [
    { line: 2, command: "cat <<'END'\n$ text\nEND", output: [] },
    { line: 5, command: "text", output: [] },
  ]);
});

Deno.test("findMistake() finds what the program would refuse", () => {
  for (
    const line of ["keys", "keys nope", "nope", "keys list --nope", "keys revoke", "backup a b"]
  ) {
    assert.ok(findMistake(line.split(" ")) !== undefined, line);
  }
  for (const line of ["keys list --json", "keys revoke 1", "users add a --email b", "serve"]) {
    assert.equal(findMistake(line.split(" ")), undefined, line);
  }
});
