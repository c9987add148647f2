/** Files that other programs wrote; `fixtures/make.py` says how. */
import { readdirSync } from "node:fs";
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { readBatches, readers, readTable, type ReaderName } from "../../src/data/readers/index.ts";
import { decompressLz4Frame } from "../../src/data/lz4.ts";
import { failure, plain, temporaryFolder } from "./support.ts";

const fixture = (name: string): string => join(import.meta.dirname, "fixtures", name);

test("every reader's file is in the list", () => {
  const files = readdirSync(join(import.meta.dirname, "../../src/data/readers"))
    .map((file) => file.replace(/\.ts$/, ""))
    .filter((file) => file !== "index" && file !== "reader");
  expect(files.sort()).toEqual(Object.keys(readers).sort());
});

describe.each(["pyarrow.arrow", "pyarrow.arrows", "pyarrow.parquet"])("%s, written by pyarrow,", (file) => {
  test("has numbers, flags, words, categories and lists", async () => {
    const table = await readTable(fixture(file));
    const columns = plain(table);
    expect(columns["Te"]).toEqual([300.5, 301.25, NaN, 303.125, 1e20]);
    expect(columns["n"]).toEqual([1, 2, 3, 4, 5]);
    expect(columns["ok"]).toEqual([1, 0, 1, NaN, 1]);
    expect(columns["gas"]).toEqual(["He", "Ar", "He", "", "Ne"]);
    expect(columns["kind"]).toEqual(["a", "b", "a", "b", "a"]);
    expect(columns["spectrum[1]"]).toEqual([0.125, 0.5, 0.875, 1.25, 1.625]);
    expect(columns["map[1,0]"]).toEqual([0.5, 1.5, 2.5, 3.5, 4.5]);
    expect(table.columns[0]?.unit).toBe("eV");
  });

  test("keeps shape, unit and coordinates of a field", async () => {
    expect((await readTable(fixture(file))).fields).toEqual([
      { name: "spectrum", shape: [3] },
      {
        name: "map",
        shape: [2, 2],
        unit: "K",
        coordinates: [{ name: "r", unit: "m", values: [0.5, 1.5] }, null],
      },
    ]);
  });

  test("lacks the column of times, and says so", async () => {
    const { notes } = await readTable(fixture(file));
    expect(notes).toHaveLength(1);
    expect(notes?.[0]).toMatch(/column "when" .*holds neither numbers nor words and is left out\.$/);
  });
});

test.each(["lz4.feather", "zstd.feather", "zstd.parquet", "gzip.parquet", "brotli.parquet", "lz4.parquet"])(
  "%s is unpacked",
  async (file) => {
    const columns = plain(await readTable(fixture(file)));
    expect(columns["x"]).toEqual(Array.from({ length: 400 }, (_, i) => (i % 7) / 8));
    expect(columns["word"]).toEqual(Array.from({ length: 400 }, (_, i) => (i % 3 === 0 ? "de" : "abc")));
  },
);

test("half floats are read", async () => {
  expect(plain(await readTable(fixture("pyarrow.arrow")))["half"]).toEqual([0.5, 1.5, -2, 65504, 0.25]);
});

test("the shape of Arrow's tensor extension is understood", async () => {
  const table = await readTable(fixture("tensor.arrow"));
  expect(table.fields).toEqual([{ name: "t", shape: [2, 3] }]);
  expect(plain(table)["t[1,2]"]).toEqual([5, 11, 17, 23]);
});

test.each(["pandas.parquet", "pandas.csv"])("%s is read without pandas's row index", async (file) => {
  const table = await readTable(fixture(file));
  expect(plain(table)).toEqual({ a: [1.5, 2.5, 3.5], c: ["u", "v", "u"] });
  expect(table.notes?.join()).toMatch(/row index/);
});

describe("NumPy's files", () => {
  test("give a field the shape that is left after the first axis", async () => {
    const table = await readTable(fixture("y.npy"));
    expect(table.fields).toEqual([{ name: "y", shape: [2, 2] }]);
    expect(plain(table)).toEqual({
      "y[0,0]": [0, 4, 8],
      "y[0,1]": [1, 5, 9],
      "y[1,0]": [2, 6, 10],
      "y[1,1]": [3, 7, 11],
    });
  });

  test.each<[string, Record<string, unknown>]>([
    ["fortran.npy", { "fortran[0]": [0, 2, 4], "fortran[1]": [1, 3, 5] }],
    ["big-endian.npy", { "big-endian": [0, 1, 2] }],
    ["half.npy", { half: [0.5, -1.5, 65504, 5.960464477539063e-8, NaN] }],
    ["runs.npz", { "x[0]": [1, 3, 5], "x[1]": [2, 4, 6], y: [1.5, NaN, 3.5], name: ["a", "bc", "d"] }],
    ["packed.npz", { x: [0, 1, 2, 3], flag: [1, 0, 1, 1] }],
    ["record.npy", { Te: [1.5, 2.5], n: [2, 3], gas: ["p", "qr"] }],
    ["savetxt.csv", { Te: [1.5, 3], ne: [2, 4.25] }],
    ["savetxt.txt", { Te: [1.5, 3], ne: [2, 4.25] }],
  ])("%s", async (file, columns) => {
    expect(plain(await readTable(fixture(file)))).toEqual(columns);
  });

  test("of complex numbers are refused", async () => {
    const error = await failure(() => readTable(fixture("complex.npy")));
    expect(error.code).toBe("FILE_FORMAT");
    expect(error.message).toMatch(/holds complex numbers, which Condense does not read\. Save real numbers/);
  });
});

test("LZ4 frames may have checksums, blocks that are not packed, and matches that overlap themselves", () => {
  // Written by hand after the LZ4 frame and block formats: version 1, block checksums; sizes are little-endian.
  const frame = [0x04, 0x22, 0x4d, 0x18, 0x50, 0x40, 0];
  const stored = [3, 0, 0, 0x80, 97, 98, 99, 1, 2, 3, 4];
  const packed = [5, 0, 0, 0, 0x14, 100, 1, 0, 0, 5, 6, 7, 8]; // "d", then 8 bytes from 1 back, then no literals
  const bytes = decompressLz4Frame(Uint8Array.from([...frame, ...stored, ...packed, 0, 0, 0, 0]));
  expect(new TextDecoder().decode(bytes)).toBe("abcddddddddd");
  expect(() => decompressLz4Frame(Uint8Array.of(1, 2, 3))).toThrow("LZ4 frame without its magic number");
});

describe("a file", () => {
  test("that is cut off is an error that says so, in every binary format", async () => {
    const folder = await temporaryFolder();
    for (const file of ["pyarrow.arrow", "pyarrow.arrows", "lz4.feather", "pyarrow.parquet", "y.npy", "runs.npz"]) {
      const whole = await readFile(fixture(file));
      for (const share of [0.3, 0.6, 0.9]) {
        const path = join(folder, file);
        await writeFile(path, whole.subarray(0, Math.floor(share * whole.length)));
        const error = await failure(() => readTable(path));
        expect([file, share, error.code]).toEqual([file, share, "FILE_DAMAGED"]);
        expect(error.message).toMatch(/is not a whole \w+ file \(.+\)\. .*again\.$/);
      }
    }
  });

  test("is told by its content, whatever its name", async () => {
    const folder = await temporaryFolder();
    const path = join(folder, "table.csv");
    await writeFile(path, await readFile(fixture("pyarrow.parquet")));
    expect((await readTable(path)).rows).toBe(5);
  });

  test("that is not there, or a folder, is an error", async () => {
    const folder = await temporaryFolder();
    const missing = await failure(() => readTable(join(folder, "no.csv")));
    expect(missing.code).toBe("FILE_MISSING");
    expect(missing.message).toMatch(/no\.csv: no such file\. Check the path/);
    await mkdir(join(folder, "sub"));
    const directory = await failure(() => readTable(join(folder, "sub")));
    expect(directory.code).toBe("FILE_READ");
    expect(directory.message).toMatch(/sub: is a folder\. Name a file in it\.$/);
  });

  test.each([
    ["HDF5", [0x89, 0x48, 0x44, 0x46, 0x0d, 0x0a, 0x1a, 0x0a, 0], "is HDF5, which Condense does not read"],
    [
      "an Excel workbook",
      [0x50, 0x4b, 3, 4, 0, 0, 0, 0],
      "is a zip archive or an Excel workbook, which Condense does not read",
    ],
    ["something else", [1, 2, 3, 0, 0], "is not a format that Condense reads"],
  ])("that is %s is refused by name", async (_, bytes, what) => {
    const folder = await temporaryFolder();
    await writeFile(join(folder, "runs.h5"), new Uint8Array(bytes));
    const error = await failure(() => readTable(join(folder, "runs.h5")));
    expect(error.code).toBe("FILE_FORMAT");
    expect(error.message).toContain(`runs.h5: ${what} (Arrow, Parquet, NumPy, CSV). Save it as one of these.`);
  });

  test("whose gzip data are cut off is an error", async () => {
    const folder = await temporaryFolder();
    const { gzipSync } = await import("node:zlib");
    const packed = gzipSync(`a,b\n${"1,2\n".repeat(1000)}`);
    await writeFile(join(folder, "runs.csv.gz"), packed.subarray(0, packed.length - 12));
    const error = await failure(() => readTable(join(folder, "runs.csv.gz")));
    expect(error.code).toBe("FILE_DAMAGED");
    expect(error.message).toMatch(/runs\.csv\.gz: the gzip data are damaged or cut off\./);
  });
});

test.each<[string, ReaderName]>([
  ["pyarrow.arrows", "arrow"],
  ["pyarrow.arrow", "arrow"],
  ["pyarrow.parquet", "parquet"],
  ["savetxt.csv", "csv"],
])("batches of %s are its rows in order", async (file) => {
  const whole = await readTable(fixture(file));
  let rows = 0;
  for await (const batch of readBatches(fixture(file), 2)) {
    expect(batch.rowsBefore).toBe(rows);
    expect(batch.rows).toBeLessThanOrEqual(2);
    for (const [name, values] of Object.entries(plain(batch))) {
      expect(values).toEqual(plain(whole)[name]?.slice(rows, rows + batch.rows));
    }
    rows += batch.rows;
  }
  expect(rows).toBe(whole.rows);
});
