/** The public measurements in test/hardware/latency-data, as columns of numbers or text. */
import { readFileSync } from "node:fs";
import { gunzipSync } from "node:zlib";

export interface Csv {
  readonly rows: number;
  numbers(column: string): number[];
  texts(column: string): string[];
}

const folder = new URL("./latency-data/", import.meta.url);

export function readText(name: string): string {
  return readFileSync(new URL(name, folder), "utf8");
}

/** Reads a gzipped CSV file without quotes. */
export function readCsv(name: string): Csv {
  const [head = "", ...lines] = gunzipSync(readFileSync(new URL(name, folder)))
    .toString("utf8")
    .trim()
    .split("\n");
  const columns = head.split(",");
  const cells = lines.map((line) => line.split(","));
  const texts = (column: string): string[] => {
    const at = columns.indexOf(column);
    if (at < 0) throw new RangeError(`${name} has no column ${column}`);
    return cells.map((row) => row[at] ?? "");
  };
  return { rows: lines.length, texts, numbers: (column) => texts(column).map(Number) };
}
