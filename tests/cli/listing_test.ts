import assert from "node:assert/strict";
import { printJsonArray, printPages, printTable } from "../../lib/cli/listing.ts";
import { type Output, standardOutput } from "../../lib/cli/output.ts";
import type { Screen } from "../../lib/cli/screen.ts";
import { capture } from "./captured.ts";
import { withWorkplace, type Workplace } from "./workplace.ts";

/** A screen of this height whose reader wants more so many times, and how often that was asked. */
function makeScreen(height: number, patience: number) {
  const asked: number[] = [];
  const screen: Screen = {
    height: () => height,
    wantsMore: () => asked.push(asked.length) <= patience,
  };
  return { screen, asked };
}

/** Pages that are counted as they are read. */
async function* counted<Row>(pages: readonly Row[][], read: { count: number }) {
  for (const page of pages) {
    read.count++;
    yield await Promise.resolve(page);
  }
}

function pagesOf<Row>(...pages: Row[][]) {
  return counted(pages, { count: 0 });
}

/** The lines that `body` prints. */
async function printed(body: (output: Output) => Promise<unknown>): Promise<string[]> {
  const { stdout } = await capture(async () => void await body(standardOutput(() => undefined)));
  return stdout.split("\n").slice(0, -1);
}

Deno.test("printPages() shows a screenful less one line, and goes on when the reader wants more", async () => {
  for (const [patience, shown, asked] of [[0, 4, 1], [1, 8, 2], [9, 10, 2]] as const) {
    const reader = makeScreen(5, patience);
    const pages = pagesOf(["a", "b", "c"], ["d", "e", "f"], ["g", "h", "i", "j"]);
    const lines = await printed((output) => printPages(output, pages, reader.screen));
    assert.deepEqual(lines.join(""), "abcdefghij".slice(0, shown));
    assert.equal(reader.asked.length, asked);
  }
});

Deno.test("printPages() asks nothing when everything fits, and reads no more than the reader wants", async () => {
  const reader = makeScreen(5, 9);
  await printed((output) => printPages(output, pagesOf(["a", "b"], ["c", "d"]), reader.screen));
  assert.deepEqual(reader.asked, []);
  const read = { count: 0 };
  const pages = counted([["a", "b", "c"], ["d", "e", "f"], ["g"], ["h"]], read);
  const ended = await printed((output) => printPages(output, pages, makeScreen(3, 0).screen));
  assert.deepEqual(ended, ["a", "b"]);
  assert.equal(read.count, 1);
});

Deno.test("printPages() shows at least a line at a time on a screen that has no room", async () => {
  const reader = makeScreen(0, 9);
  const lines = await printed((output) => printPages(output, pagesOf(["a", "b"]), reader.screen));
  assert.deepEqual(lines, ["a", "b"]);
});

Deno.test("printTable() aligns each page at least as wide as those before", async () => {
  const columns = { "A": (row: string[]) => row[0]!, "B": (row: string[]) => row[1]! };
  const pages = pagesOf([["x", "1"], ["yyy", "2"]], [["zzzzz", "3"]], [["x", "4"]]);
  const lines = await printed((output) => printTable(output, pages, { columns, empty: "none" }));
  assert.deepEqual(lines, ["A    B", "x    1", "yyy  2", "zzzzz  3", "x      4"]);
  const nothing = await printed((output) =>
    printTable(output, pagesOf<string[]>(), { columns, empty: "none" })
  );
  assert.deepEqual(nothing, ["none"]);
});

Deno.test("printJsonArray() prints what JSON.stringify() would of all rows at once", async () => {
  const rows = [{ a: 1, b: ["x\n\u2028"] }, { a: null }, {}, [], "text"];
  for (const pages of [[], [rows], rows.map((row) => [row]), [[], rows, []]]) {
    const lines = await printed((output) => printJsonArray(output, pagesOf<unknown>(...pages)));
    const expected = JSON.stringify(pages.flat(), undefined, 2).replaceAll("\u2028", "\\u2028");
    assert.equal(lines.join("\n"), expected);
  }
});

Deno.test("users list shows every user of many pages, as a table and as JSON", async () => {
  await withWorkplace(async (workplace) => {
    workplace.tamper((database) =>
      database.run(
        `${NUMBERS} INSERT INTO users (username, password_hash) SELECT 'u' || n, 'x' FROM numbers`,
        2500,
      )
    );
    const [, ...lines] = (await workplace.run(["users", "list"])).split("\n");
    assert.deepEqual(lines.map((line) => line.split(/ +/)[1]), names(2500));
    const users: { username: string }[] = JSON.parse(
      await workplace.run(["users", "list", "--json"]),
    );
    assert.deepEqual(users.map(({ username }) => username), names(2500));
  }, { alg: "ES256" });
});

Deno.test("logs shows the last 100 entries unless more, fewer or another part is asked for", async () => {
  await withWorkplace(async (workplace) => {
    fillLog(workplace, 2500);
    const whole = Array.from({ length: 2500 }, (_, index) => index + 1);
    assert.deepEqual(await idsOf(workplace), whole.slice(-100));
    assert.deepEqual(await idsOf(workplace, "--limit", "1200"), whole.slice(-1200));
    assert.deepEqual(await idsOf(workplace, "--limit", "3"), [2498, 2499, 2500]);
    assert.deepEqual(await idsOf(workplace, "--all"), whole);
    assert.deepEqual(await idsOf(workplace, "--since", "90m"), whole.slice(-90));
    assert.deepEqual(await idsOf(workplace, "--since", "90m", "--limit", "7"), whole.slice(-7));
    assert.deepEqual(await idsOf(workplace, "--since", "30s"), []);
    assert.equal((await workplace.run(["logs"])).split("\n").length, 101);
    assert.equal((await workplace.run(["logs", "--all"])).split("\n").length, 2501);
  }, { alg: "ES256" });
});

Deno.test("logs refuses a limit that is none, and one beside --all", async () => {
  await withWorkplace(async (workplace) => {
    for (const limit of ["0", "-1", "1.5", "many", "", "1e3", "9999999999"]) {
      assert.equal(await workplace.exitCode(["logs", `--limit=${limit}`]), 2, limit);
    }
    assert.equal(await workplace.exitCode(["logs", "--limit", "5", "--all"]), 2);
  }, { alg: "ES256" });
});

const NUMBERS =
  "WITH RECURSIVE numbers (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers WHERE n < ?)";

function names(count: number): string[] {
  return Array.from({ length: count }, (_, index) => `u${index + 1}`);
}

/** One entry a minute, the last half a minute ago. */
function fillLog(workplace: Workplace, count: number): void {
  workplace.tamper((database) =>
    database.run(
      `${NUMBERS} INSERT INTO auth_logs (request_ip, request_timestamp) ` +
        "SELECT '192.0.2.1', datetime('now', ((n - ?) * 60 - 31) || ' seconds') FROM numbers",
      count,
      count,
    )
  );
}

async function idsOf(workplace: Workplace, ...args: string[]): Promise<number[]> {
  const text = await workplace.run(["logs", "--json", ...args]);
  return text.split("\n").filter((line) => line !== "").map((line) => JSON.parse(line).id);
}
