/** Numbers and rows as text for people. */

/** A number in four significant digits, without noise. */
export function showNumber(value: number, digits = 4): string {
  if (!Number.isFinite(value)) return Number.isNaN(value) ? "-" : String(value);
  const size = Math.abs(value);
  if (size !== 0 && (size < 1e-3 || size >= 1e6)) return value.toExponential(digits - 1).replace("e+", "e");
  return String(Number(value.toPrecision(digits)));
}

/** A share as `95 %`, to a tenth. */
export function showShare(value: number): string {
  return `${Number((100 * value).toFixed(1))} %`;
}

/** Rows as columns of one width each, the first to the left, the others to the right. @param left columns to the left */
export function alignRows(rows: readonly (readonly string[])[], left: readonly number[] = [0]): string {
  const widths: number[] = [];
  for (const row of rows) row.forEach((cell, j) => (widths[j] = Math.max(widths[j] ?? 0, cell.length)));
  return rows
    .map((row) => {
      const cells = row.map((cell, j) =>
        left.includes(j) ? cell.padEnd(widths[j] ?? 0) : cell.padStart(widths[j] ?? 0),
      );
      return `  ${cells.join("  ")}`.trimEnd();
    })
    .join("\n");
}
