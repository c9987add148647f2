/**
 * From cells of text to columns: what counts as a number, as missing, and when a column is categorical. Shared by the
 * readers whose cells are text.
 */
import { DataError } from "../errors.ts";
import { numberColumn, textColumn, type Column } from "./table.ts";

const NUMBER = /^[+-]?(?:\d+\.?\d*|\.\d+)(?:[eEdD][+-]?\d+)?$/;
const MISSING = /^(?:[+-]?(?:nan|inf|infinity)|n\/?a|null|none|#n\/a|-)?$/i;

/** A number as it is written where the comma is the decimal sign: never a word. */
const DECIMAL_COMMA = /^[+-]?\d+,\d+(?:[eE][+-]?\d+)?$/;

/** A column is categorical if at most this share of its filled cells are numbers. */
export const MOST_NUMBERS_IN_TEXT = 0.05;

/** A cell as a number, NaN if it is empty or stands for a missing value (nan, inf, NA, null, none, -), undefined if it is neither. */
export function parseCell(cell: string): number | undefined {
  const text = cell.trim();
  if (NUMBER.test(text)) {
    const value = Number(text);
    // Fortran writes 1.0D-3.
    const number = Number.isNaN(value) ? Number(text.replace(/[dD]/, "e")) : value;
    return Number.isFinite(number) ? number : NaN;
  }
  return MISSING.test(text) ? NaN : undefined;
}

/** Collects the cells of one column and settles its kind after the first batch of them. */
export interface ColumnBuilder {
  push(cell: string): void;
  /** The column so far, and forgets its cells; the kind is settled from here on. @throws DataError for text among numbers */
  take(): Column;
}

interface Place {
  readonly row: number;
  readonly cell: string;
}

/** Cells that are looked at before a column's kind is settled. */
const SETTLE_AFTER = 1000;

/**
 * Makes the builder of one column. A column of numbers and missing cells is a number column. It is a text column if
 * at most 5 % of its filled cells are numbers; anything between is taken for a slip and refused with row and cell.
 * @param where table's name, for messages
 * @param kind settles the kind beforehand (an emulator's schema knows it)
 */
export function columnBuilder(
  where: string,
  name: string,
  unit: string | undefined,
  kind?: Column["kind"],
): ColumnBuilder {
  let settled = kind;
  let numbers = new Float64Array(256);
  let words: string[] = [];
  let count = 0;
  let rowsBefore = 0;
  let filled = 0;
  let numeric = 0;
  let firstWord: Place | undefined;
  let firstNumber: Place | undefined;

  /** The fault of a column of both numbers and words: it names the first cell of the rarer kind. */
  const mixed = (word: Place): DataError => {
    if (kind === undefined && firstNumber !== undefined && numeric < filled - numeric) {
      return new DataError(
        "DATA_CELL",
        `${where}: row ${firstNumber.row}, column "${name}": "${shorten(firstNumber.cell)}" is a number among words. ` +
          `A column holds numbers, or words of which almost none are numbers; name its levels in words.`,
      );
    }
    const others = numeric > 0 ? ", as the others in this column are" : "";
    const mend = DECIMAL_COMMA.test(word.cell.trim())
      ? "Write a decimal point, not a comma."
      : "Mend the cell, or leave it empty where a run failed.";
    return new DataError(
      "DATA_CELL",
      `${where}: row ${word.row}, column "${name}": "${shorten(word.cell)}" is not a number${others}. ${mend}`,
    );
  };
  const settle = (): void => {
    if (settled !== undefined || filled === 0) return;
    settled = numeric < filled - numeric ? "text" : "number"; // the rarer kind is then refused, cell by cell
    if (settled === "number") words = [];
  };

  /** True for a column of words that may stay one. */
  const isClean = (word: Place): boolean => {
    if (settled !== "text" || kind === "text") return settled === "text";
    return numeric <= MOST_NUMBERS_IN_TEXT * filled && !DECIMAL_COMMA.test(word.cell.trim());
  };

  return {
    push(cell) {
      const value = parseCell(cell);
      const row = rowsBefore + count + 1;
      if (value === undefined) {
        filled++;
        firstWord ??= { row, cell };
      } else if (!Number.isNaN(value)) {
        filled++;
        numeric++;
        firstNumber ??= { row, cell };
      }
      if (settled === "number" && firstWord !== undefined) throw mixed(firstWord);
      if (settled !== "text") {
        if (count === numbers.length) {
          const grown = new Float64Array(2 * count);
          grown.set(numbers);
          numbers = grown;
        }
        numbers[count] = value ?? NaN;
      }
      if (settled !== "number") words.push(cell.trim());
      count++;
      if (settled === undefined && count >= SETTLE_AFTER) settle();
    },
    take() {
      settle();
      if (firstWord !== undefined && !isClean(firstWord)) throw mixed(firstWord);
      const column =
        settled === "text"
          ? textColumn(
              name,
              words.map((word) => (/^nan$/i.test(word) ? "" : word)),
              unit,
            )
          : numberColumn(name, numbers.slice(0, count), unit);
      rowsBefore += count;
      words = [];
      count = 0;
      return column;
    },
  };
}

function shorten(cell: string): string {
  return cell.length > 40 ? `${cell.slice(0, 37)}...` : cell;
}
