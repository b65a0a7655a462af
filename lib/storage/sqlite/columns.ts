/** Columns as other programs may have filled them: SQLite keeps any value in any column. */

/** A column whose integers arrive as text when JavaScript cannot hold them. */
export function exact(column: string): string {
  const { MIN_SAFE_INTEGER: least, MAX_SAFE_INTEGER: most } = Number;
  return `CASE WHEN typeof(${column}) <> 'integer' OR ${column} BETWEEN ${least} AND ${most} ` +
    `THEN ${column} ELSE CAST(${column} AS TEXT) END`;
}

/** A column whose values arrive as text, whatever they are. */
export function text(column: string): string {
  return `CAST(${column} AS TEXT)`;
}
