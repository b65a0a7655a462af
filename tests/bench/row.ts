/** What a measurement says, and how rows are shown: as a table to people, as JSON to programs. */

/** What a number has to be. */
export type Goal = readonly ["at least" | "at most" | "below", number];

export interface Row {
  /** What was measured, and against what. */
  what: string;
  /** The unit of `measured` and `baseline`. */
  unit: string;
  measured: number;
  baseline?: number;
  /** Of the ratio where there is a baseline, else of `measured`; without one a row only informs. */
  goal?: Goal;
}

/** In the place of a row whose number there is not. */
export interface Unmeasured {
  what: string;
  reason: string;
  /** Whether it should have been measured, so that a goal is missed. */
  isFailure: boolean;
}

const COLUMNS = ["what", "measured", "baseline", "ratio", "goal", ""];

/** Whether a goal is missed. */
export function isMissed(row: Row | Unmeasured): boolean {
  if ("reason" in row) return row.isFailure;
  if (row.goal === undefined) return false;
  const [relation, bound] = row.goal;
  const value = ratioOf(row) ?? row.measured;
  if (relation === "at least") return !(value >= bound);
  return !(relation === "at most" ? value <= bound : value < bound);
}

export function formatJson(rows: readonly (Row | Unmeasured)[]): string {
  const withVerdict = rows.map((row) => ({
    ...row,
    ...("reason" in row ? {} : { ratio: ratioOf(row), goal: row.goal?.join(" ") }),
    isMissed: isMissed(row),
  }));
  return `${JSON.stringify(withVerdict, undefined, 2)}\n`;
}

export function formatTable(rows: readonly (Row | Unmeasured)[]): string {
  const cells = [COLUMNS, ...rows.map(cellsOf)];
  const widths = COLUMNS.map((_, column) => Math.max(...cells.map((row) => row[column]!.length)));
  const line = (row: readonly string[]) =>
    row.map((cell, column) => cell.padEnd(widths[column]!)).join("  ").trimEnd();
  return `${cells.map(line).join("\n")}\n`;
}

function cellsOf(row: Row | Unmeasured): string[] {
  if ("reason" in row) return [row.what, row.reason, "", "", "", row.isFailure ? "MISSED" : ""];
  const { what, unit, measured, baseline, goal } = row;
  const ratio = ratioOf(row);
  return [
    what,
    `${inDigits(measured)} ${unit}`,
    baseline === undefined ? "" : `${inDigits(baseline)} ${unit}`,
    ratio === undefined ? "" : inDigits(ratio),
    goal === undefined ? "" : `${goal[0]} ${inDigits(goal[1])}`,
    goal === undefined ? "" : isMissed(row) ? "MISSED" : "ok",
  ];
}

function ratioOf({ measured, baseline }: Row): number | undefined {
  return baseline === undefined ? undefined : measured / baseline;
}

function inDigits(value: number): string {
  return value.toLocaleString("en", { maximumSignificantDigits: 4 });
}
