import { Float64, Table as ArrowTable, tableFromArrays, vectorFromArray } from "apache-arrow";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { tableFrom, toTable, type TableLike } from "../../src/data/from.ts";
import { failure, plain, tableOf } from "./support.ts";

const expected = { a: [1, 2.5], gas: ["He", "Ar"], "y[0]": [1, 3], "y[1]": [2, 4] };

describe("a table is made", () => {
  test.each<[string, Exclude<TableLike, string>]>([
    ["columns by name", { a: [1, 2.5], gas: ["He", "Ar"], y: [[1, 2], new Float32Array([3, 4])] }],
    [
      "typed columns",
      {
        a: new Float32Array([1, 2.5]),
        gas: ["He", "Ar"],
        y: [
          [1, 2],
          [3, 4],
        ],
      },
    ],
    [
      "rows by name",
      [
        { a: 1, gas: "He", y: [1, 2] },
        { a: 2.5, gas: "Ar", y: [3, 4] },
      ],
    ],
    [
      "a data frame",
      {
        columns: ["a", "gas", "y"],
        shape: [2, 3],
        values: [
          [1, "He", [1, 2]],
          [2.5, "Ar", [3, 4]],
        ],
      },
    ],
    [
      "an Arrow table",
      new ArrowTable({
        a: vectorFromArray([1, 2.5], new Float64()),
        gas: vectorFromArray(["He", "Ar"]),
        y: vectorFromArray([
          [1, 2],
          [3, 4],
        ]),
      }),
    ],
  ])("from %s", (_, data) => {
    const table = tableFrom(data);
    expect(plain(table)).toEqual(expected);
    expect(table.source).toBe("memory");
  });

  test("from a table as it is", () => {
    const table = tableOf({ a: [1] });
    expect(tableFrom(table)).toBe(table);
  });

  test("from a path", async () => {
    const table = await toTable(join(import.meta.dirname, "fixtures/pandas.csv"));
    expect(plain(table)["a"]).toEqual([1.5, 2.5, 3.5]);
  });

  test("from Arrow's integers, flags and gaps", () => {
    const table = tableFrom(tableFromArrays({ n: BigInt64Array.of(1n, 2n), f: Uint8Array.of(0, 1) }));
    expect(plain(table)).toEqual({ n: [1, 2], f: [0, 1] });
    const gaps = tableFrom({ x: [1, null, undefined, NaN, -Infinity], on: [true, false, null, true, true] });
    expect(plain(gaps)).toEqual({ x: [1, NaN, NaN, NaN, NaN], on: [1, 0, NaN, 1, 1] });
  });

  test("with units from the names, and missing cells where rows lack them", () => {
    const table = tableFrom([{ "Te [eV]": 1 }, { n: 3 }]);
    expect(table.columns[0]).toMatchObject({ name: "Te", unit: "eV" });
    expect(plain(table)).toEqual({ Te: [1, NaN], n: [NaN, 3] });
  });
});

describe("no table is made, and the message says why,", () => {
  test.each<[string, unknown, string, string]>([
    ["from nothing", {}, "DATA_EMPTY", "memory: holds no runs. A table needs at least one column and one row."],
    ["from no rows", [], "DATA_EMPTY", "memory: holds no runs. A table needs at least one column and one row."],
    [
      "from columns of unequal length",
      { a: [1, 2], b: [1] },
      "DATA_ROWS",
      'memory: column "b" has 1 rows, column "a" has 2. All columns need the same number of rows.',
    ],
    [
      "from words among numbers",
      { a: [1, "x"] },
      "DATA_CELL",
      'memory: row 2, column "a": "x" is a word, those above are numbers. Make the column all numbers or all words.',
    ],
    [
      "from lists of unequal length",
      { y: [[1, 2], [3]] },
      "DATA_FIELD",
      'memory: row 2, column "y": the list has fewer than 2 elements, as the first row has. A field has one shape in all rows.',
    ],
    [
      "from dates",
      { when: [new Date(0)] },
      "DATA_KIND",
      'memory: column "when" holds neither numbers nor words. Convert it, or leave it out.',
    ],
    [
      "from a number for a column",
      { a: 1 },
      "DATA_KIND",
      'memory: column "a" is not a list. Give every column as a list of cells, one per run.',
    ],
    [
      "from rows without names",
      [[1, 2]],
      "DATA_KIND",
      "memory: row 1 is not an object of cells by name. Write rows as { name: value }.",
    ],
    [
      "from a number",
      7,
      "DATA_KIND",
      "memory: number is no table. Give a path, an Arrow table, a data frame, columns by name or rows by name.",
    ],
  ])("%s", async (_, data, code, message) => {
    const error = await failure(() => tableFrom(data as Exclude<TableLike, string>));
    expect(error.code).toBe(code);
    expect(error.message).toBe(message);
  });
});
