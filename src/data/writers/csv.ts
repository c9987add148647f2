/**
 * CSV (RFC 4180, but lines end in LF): a header of names, with units as `Te [eV]`, numbers in the fewest digits that
 * read back the same, missing cells empty.
 */
import type { Column, Table } from "../table.ts";
import { sameColumns, type Writer } from "./writer.ts";

/** Rows that are put together before they become bytes. */
const ROWS_AT_ONCE = 4096;

export const csv: Writer = {
  title: "CSV",
  extensions: [".csv"],
  encoder() {
    let started = false;
    const check = sameColumns();
    return {
      add(table) {
        check(table);
        const head = started ? "" : `${table.columns.map((column) => quote(headerOf(column))).join(",")}\n`;
        started = true;
        return Promise.resolve(encodeRows(head, table));
      },
      end: () => Promise.resolve(new Uint8Array()),
    };
  },
};

function encodeRows(head: string, table: Table): Uint8Array {
  const parts: Buffer[] = [Buffer.from(head)];
  const alone = table.columns.length === 1;
  for (let from = 0; from < table.rows; from += ROWS_AT_ONCE) {
    let text = "";
    for (let i = from; i < Math.min(from + ROWS_AT_ONCE, table.rows); i++) {
      text += `${table.columns.map((column) => cell(column, i, alone)).join(",")}\n`;
    }
    parts.push(Buffer.from(text));
  }
  return Buffer.concat(parts);
}

/** A cell; quotes keep a row of one empty cell from being an empty line, which is no row. */
function cell(column: Column, row: number, alone: boolean): string {
  const value = column.values[row] ?? NaN;
  const text =
    typeof value === "string" ? quote(value) : Number.isNaN(value) ? "" : Object.is(value, -0) ? "-0" : String(value);
  return alone && text === "" ? '""' : text;
}

function headerOf(column: Column): string {
  return column.unit === undefined ? column.name : `${column.name} [${column.unit}]`;
}

function quote(text: string): string {
  return /[",\r\n\t;|#]|^\s|\s$/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}
