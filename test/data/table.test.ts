import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { fieldColumns, fieldValues, fillBox, partsOf } from "../../src/data/fields.ts";
import {
  elementNames,
  findColumn,
  joinColumns,
  makeTable,
  nearestName,
  numberColumn,
  sliceRows,
  splitElement,
  splitUnit,
  takeRows,
} from "../../src/data/table.ts";
import { failure, plain, tableOf } from "./support.ts";

describe("a table", () => {
  test("finds a column by its name, with or without its unit", () => {
    const table = makeTable("t", [numberColumn("Te", [1], "eV")]);
    expect(findColumn(table, "Te")).toBe(table.columns[0]);
    expect(findColumn(table, "Te [eV]")).toBe(table.columns[0]);
  });

  test("names the columns that it has, and the nearest, for one that it has not", async () => {
    const table = tableOf({ omegaM: [1], sigma8: [2] }, "datasets/halo.csv");
    const near = await failure(() => findColumn(table, "omega_m"));
    expect(near.code).toBe("DATA_COLUMN");
    expect(near.message).toBe('datasets/halo.csv: no column "omega_m" (found: omegaM, sigma8). Did you mean "omegaM"?');
    const far = await failure(() => findColumn(table, "pressure"));
    expect(far.message).toBe(
      'datasets/halo.csv: no column "pressure" (found: omegaM, sigma8). Rename it in the file, or correct the name.',
    );
  });

  test("lists no more than a dozen columns, and a field once", async () => {
    const wide = tableOf(Object.fromEntries(Array.from({ length: 20 }, (_, i) => [`col${i}`, [1]])));
    expect((await failure(() => findColumn(wide, "x"))).message).toContain("col11 and 8 more)");
    const field = tableOf({ "map[0]": [1], "map[1]": [1], y: [1] });
    expect((await failure(() => findColumn(field, "x"))).message).toContain("(found: map, y)");
  });

  test("is refused if its columns differ in length or share a name", async () => {
    const unequal = await failure(() => tableOf({ a: [1], b: [1, 2] }));
    expect(unequal.message).toContain('column "b" has 2 rows, column "a" has 1');
    const twice = await failure(() => makeTable("t", [numberColumn("a", [1]), numberColumn("a", [1])]));
    expect(twice.message).toBe('t: two columns are named "a". Give every column a name of its own.');
  });

  test("gives rows by number, slices that know where they stood, and joins side by side", () => {
    const table = tableOf({ a: [1, 2, 3, 4], w: ["p", "q", "r", "s"] });
    expect(plain(takeRows(table, [2, 0]))).toEqual({ a: [3, 1], w: ["r", "p"] });
    const slice = sliceRows(sliceRows(table, 1, 4), 1, 9);
    expect(plain(slice)).toEqual({ a: [3, 4], w: ["r", "s"] });
    expect(slice.rowsBefore).toBe(2);
    expect(plain(joinColumns(table, tableOf({ b: [5, 6, 7, 8] })))).toMatchObject({ a: [1, 2, 3, 4], b: [5, 6, 7, 8] });
  });

  test("turns infinities to missing and keeps the caller's numbers as they are", () => {
    const given = Float64Array.of(1, Infinity, -Infinity);
    expect(Array.from(numberColumn("a", given).values)).toEqual([1, NaN, NaN]);
    expect(Array.from(given)).toEqual([1, Infinity, -Infinity]);
  });
});

describe("names", () => {
  test.each([
    ["Te [eV]", { name: "Te", unit: "eV" }],
    ["flux[W/m2]", { name: "flux", unit: "W/m2" }],
    ["n []", { name: "n" }],
    ["map[3]", { name: "map[3]" }],
    ["map[1,2]", { name: "map[1,2]" }],
    ["map[1,2] [K]", { name: "map[1,2]", unit: "K" }],
    ["A-2", { name: "A-2" }],
  ])("of the header %s", (header, split) => {
    expect(splitUnit(header)).toEqual(split);
  });

  test("of elements split into field and index, and come back", () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 1, max: 4 }), { minLength: 1, maxLength: 3 }), (shape) => {
        const names = elementNames("f", shape);
        expect(new Set(names).size).toBe(shape.reduce((p, e) => p * e, 1));
        for (const name of names) expect(splitElement(name)?.name).toBe("f");
        expect(names.at(-1)).toBe(`f[${shape.map((extent) => extent - 1).join(",")}]`);
      }),
    );
    expect(elementNames("f", [])).toEqual(["f"]);
  });

  test("that are near are found, others are not", () => {
    expect(nearestName("pressure", ["presure", "density"])).toBe("presure");
    expect(nearestName("x", ["alpha", "beta"])).toBeUndefined();
  });
});

describe("the columns of a field", () => {
  test("come together in order, whatever their order in the table", () => {
    fc.assert(
      fc.property(
        fc.array(fc.integer({ min: 1, max: 4 }), { minLength: 1, maxLength: 3 }),
        fc.integer({ min: 0, max: 1 }),
        fc.array(fc.nat(), { minLength: 64, maxLength: 64 }),
        (shape, origin, keys) => {
          const columns = elementNames("f", shape).map((name, i) => {
            const index = splitElement(name)?.index.map((k) => k + origin);
            return numberColumn(`f[${index?.join() ?? ""}]`, [i]);
          });
          const shuffled = columns
            .map((column, i) => ({ column, key: keys[i] ?? 0 }))
            .sort((a, b) => a.key - b.key)
            .map(({ column }) => column);
          expect(fillBox(shuffled)).toEqual({ shape, origin, columns });
        },
      ),
    );
  });

  test("that leave holes are no field", () => {
    const columns = ["f[0]", "f[2]"].map((name) => numberColumn(name, [0]));
    expect(fillBox(columns)).toBeUndefined();
    expect(partsOf(makeTable("t", columns)).map((part) => part.kind)).toEqual(["column", "column"]);
  });

  test("go to one list per row and back", () => {
    const values = Float64Array.from({ length: 12 }, (_, i) => i);
    expect(fieldValues(fieldColumns({ name: "f", shape: [2, 3] }, values))).toEqual(values);
  });
});
