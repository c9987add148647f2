import { readdir, readFile, writeFile, mkdir } from "node:fs/promises";
import { join } from "node:path";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { openWhole, writeWhole } from "../../src/data/files.ts";
import { readTable } from "../../src/data/readers/index.ts";
import { makeTable, numberColumn, textColumn, type Table } from "../../src/data/table.ts";
import { fieldColumns } from "../../src/data/fields.ts";
import { encodeTable, openTable, writers, writeTable, type WriterName } from "../../src/data/writers/index.ts";
import { failure, parse, plain, tableOf, temporaryFolder } from "./support.ts";

const names = Object.keys(writers) as WriterName[];

/** Three runs with a number that has a unit, a word, a signal and an image with coordinates. */
function sample(): Table {
  const signal = { name: "v", shape: [3], unit: "m/s" };
  const image = { name: "map", shape: [2, 2], coordinates: [{ name: "r", unit: "m", values: [0.5, 1.5] }, null] };
  return makeTable(
    "sample",
    [
      numberColumn("Te", [1.5, NaN, 1e20], "eV"),
      textColumn("gas", ["He", "", 'A "r", or']),
      ...fieldColumns(
        signal,
        Float64Array.from({ length: 9 }, (_, i) => i / 8),
      ),
      ...fieldColumns(
        image,
        Float64Array.from({ length: 12 }, (_, i) => -i),
      ),
      numberColumn("A-2", [-0, 0.1, 5e-324]),
    ],
    { fields: [signal, image] },
  );
}

describe.each(names)("%s", (format) => {
  test("reads back what was written", async () => {
    const table = await parse(await encodeTable(sample(), format));
    expect(plain(table)).toEqual(plain(sample()));
    expect(table.columns.map((column) => column.unit)).toEqual(sample().columns.map((column) => column.unit));
    expect(table.columns.map((column) => column.kind)).toEqual(sample().columns.map((column) => column.kind));
  });

  test("reads back what was written in several batches", async () => {
    const folder = await temporaryFolder();
    const path = join(folder, `t${writers[format].extensions[0] ?? ""}`);
    const file = await openTable(path);
    for (let i = 0; i < 5; i++) await file.add(sample());
    expect(await readdir(folder)).toHaveLength(1);
    await expect(readFile(path)).rejects.toThrow("ENOENT");
    await file.close();
    expect(await readdir(folder)).toEqual([`t${writers[format].extensions[0] ?? ""}`]);
    const table = await readTable(path);
    expect(table.rows).toBe(15);
    expect(plain(table)["v[2]"]).toEqual(Array.from({ length: 15 }, (_, i) => [0.25, 0.625, 1][i % 3]));
    expect(plain(table)["gas"]).toEqual(Array.from({ length: 15 }, (_, i) => ["He", "", 'A "r", or'][i % 3]));
  });

  test("gives out its bytes as it goes", async () => {
    const encoder = writers[format].encoder();
    const first = await encoder.add(sample());
    const second = await encoder.add(sample());
    expect(first.length).toBeGreaterThan(100);
    expect(second.length).toBeGreaterThan(50);
    const whole = Buffer.concat([first, second, await encoder.end()]);
    expect((await parse(whole)).rows).toBe(6);
  });

  test("refuses batches of other columns as a fault of ours", async () => {
    const encoder = writers[format].encoder();
    await encoder.add(tableOf({ a: [1] }));
    await expect(async () => encoder.add(tableOf({ b: [1] }))).rejects.toThrow(
      "internal: the batches of one file differ in their columns",
    );
  });

  test("keeps every number", async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.double({ noDefaultInfinity: true }), { minLength: 1 }), async (values) => {
        expect(plain(await parse(await encodeTable(tableOf({ x: values }), format)))["x"]).toEqual(values);
      }),
      { numRuns: 30 },
    );
  });
});

describe.each<WriterName>(["arrow", "parquet"])("%s", (format) => {
  test("keeps shape, unit and coordinates of fields", async () => {
    const table = await parse(await encodeTable(sample(), format));
    expect(table.fields).toEqual(sample().fields);
  });
});

test("CSV is plain to read", async () => {
  expect(new TextDecoder().decode(await encodeTable(sample(), "csv"))).toBe(
    'Te [eV],gas,v[0] [m/s],v[1] [m/s],v[2] [m/s],"map[0,0]","map[0,1]","map[1,0]","map[1,1]",A-2\n' +
      "1.5,He,0,0.125,0.25,-0,-1,-2,-3,-0\n" +
      ",,0.375,0.5,0.625,-4,-5,-6,-7,0.1\n" +
      '100000000000000000000,"A ""r"", or",0.75,0.875,1,-8,-9,-10,-11,5e-324\n',
  );
});

test("CSV keeps the rows of a single column where cells are missing", async () => {
  const table = tableOf({ x: [1, NaN, 3, NaN] });
  expect(plain(await parse(await encodeTable(table, "csv")))["x"]).toEqual([1, NaN, 3, NaN]);
});

describe("a file that is written", () => {
  test("replaces the old one, and nothing else stays", async () => {
    const folder = await temporaryFolder();
    await writeWhole(join(folder, "a.txt"), "old");
    await writeWhole(join(folder, "a.txt"), "new");
    expect(await readdir(folder)).toEqual(["a.txt"]);
    expect(await readFile(join(folder, "a.txt"), "utf8")).toBe("new");
  });

  test("is not there, and the old one is, if it is given up", async () => {
    const folder = await temporaryFolder();
    await writeFile(join(folder, "a.txt"), "old");
    const file = await openWhole(join(folder, "a.txt"));
    await file.write("half of the new");
    await file.discard();
    expect(await readdir(folder)).toEqual(["a.txt"]);
    expect(await readFile(join(folder, "a.txt"), "utf8")).toBe("old");
  });

  test("is not there if an encoder fails", async () => {
    const folder = await temporaryFolder();
    const file = await openTable(join(folder, "a.csv"));
    await file.add(tableOf({ a: [1] }));
    await expect(file.add(tableOf({ b: [1] }))).rejects.toThrow("internal:");
    expect(await readdir(folder)).toEqual([]);
  });

  test("cannot be where no folder is", async () => {
    const folder = await temporaryFolder();
    const path = join(folder, "no", "a.csv");
    for (const write of [
      () => writeWhole(path, ""),
      () => openWhole(path),
      () => writeTable(path, tableOf({ a: [1] })),
    ]) {
      const error = await failure(write);
      expect(error.code).toBe("FILE_WRITE");
      expect(error.message).toBe(
        `${path}: cannot be written: its folder ${join(folder, "no")} does not exist. Make the folder, or write elsewhere.`,
      );
    }
  });

  test("cannot be where a folder is", async () => {
    const folder = await temporaryFolder();
    await mkdir(join(folder, "a.csv"));
    const error = await failure(() => writeWhole(join(folder, "a.csv"), ""));
    expect(error.code).toBe("FILE_WRITE");
    expect(error.message).toMatch(/a\.csv: cannot be written: is a folder\. Add a file name to it\.$/);
    expect(await readdir(folder)).toEqual(["a.csv"]);
  });

  test("needs an ending that says its format", async () => {
    const error = await failure(() => writeTable("a.xlsx", tableOf({ a: [1] })));
    expect(error.code).toBe("OPTION_FORMAT");
    expect(error.message).toBe(
      "a.xlsx: its ending does not say which format to write. Use one of .csv, .arrow, .feather, .parquet.",
    );
  });
});

test("every writer's file is in the list", async () => {
  const files = (await readdir(join(import.meta.dirname, "../../src/data/writers")))
    .map((file) => file.replace(/\.ts$/, ""))
    .filter((file) => file !== "index" && file !== "writer");
  expect(files.sort()).toEqual([...names].sort());
});
