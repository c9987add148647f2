import { readFile, writeFile } from "node:fs/promises";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { checkedOutputs, misfit, outputsOfValue, type RunOutput } from "../../src/campaign/outputs.ts";
import { parseOutputs, readOutputs } from "../../src/campaign/read-outputs.ts";
import { tableFrom, writeTable } from "../../src/data/index.ts";
import { type Folder, makeFolder } from "./support.ts";

let folder: Folder;
beforeAll(async () => {
  folder = await makeFolder();
});
afterAll(() => folder.remove());

/** Outputs as name, shape and numbers. */
const short = (outputs: readonly RunOutput[]): unknown[] =>
  outputs.map(({ name, shape, values }) => [name, shape.join("x"), ...values]);

describe("parseOutputs()", () => {
  const parse = async (text: string) => short(await parseOutputs(text, "standard output"));

  it("reads JSON: numbers, lists, nested lists, rows, a lone number", async () => {
    expect(await parse(`{"y": 1.5, "s": [1, 2], "m": [[1, 2, 3], [4, 5, 6]], "ok": true}`)).toEqual([
      ["y", "", 1.5],
      ["s", "2", 1, 2],
      ["m", "2x3", 1, 2, 3, 4, 5, 6],
      ["ok", "", 1],
    ]);
    expect(await parse(`[{"r": 0, "d": 5}, {"r": 1, "d": 6}]`)).toEqual([
      ["r", "2", 0, 1],
      ["d", "2", 5, 6],
    ]);
    expect(await parse("3.25\n")).toEqual([["y", "", 3.25]]);
    expect(await parse(`starting\nstep 1\n{"y": 2}\n`)).toEqual([["y", "", 2]]);
    expect(await parse(`{"y": NaN, "t": -Infinity}`)).toEqual([
      ["y", "", NaN],
      ["t", "", NaN],
    ]);
  });

  it("reads name = value lines among others, the last of a name", async () => {
    const text =
      "Code v1.2 starting\n residual = 1e-3\n residual = 1D-9\n te [eV] = 12.5;\n s = [1, 2, 3]\n w = 4 5\n y[0]=1\n";
    expect(await parse(text)).toEqual([
      ["residual", "", 1e-9],
      ["te", "", 12.5],
      ["s", "3", 1, 2, 3],
      ["w", "2", 4, 5],
      ["y", "1", 1],
    ]);
    expect((await parseOutputs(text, "out"))[1]?.unit).toBe("eV");
  });

  it("reads CSV: one row is scalars, several rows are signals", async () => {
    expect(await parse("y,z [m]\n1,2\n")).toEqual([
      ["y", "", 1],
      ["z", "", 2],
    ]);
    expect(await parse("t,y\n0,5\n1,6\n2,7\n")).toEqual([
      ["t", "3", 0, 1, 2],
      ["y", "3", 5, 6, 7],
    ]);
    expect(await parse('"m[0,0]","m[0,1]"\n1,2\n')).toEqual([["m", "1x2", 1, 2]]);
  });

  it("says what it saw where it is none of these", async () => {
    await expect(parse("Segmentation fault\n")).rejects.toThrow(
      'standard output is neither JSON, nor name = value lines, nor CSV: it begins "Segmentation fault"',
    );
    await expect(parse(" \n")).rejects.toThrow("standard output is empty");
  });
});

/** NPY version 1 of float64, written by hand from its specification. */
function npy(shape: string, values: readonly number[]): Buffer {
  const header = `{'descr': '<f8', 'fortran_order': False, 'shape': (${shape}), }`.padEnd(117) + "\n";
  const head = Buffer.from([0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59, 1, 0, header.length, 0]);
  return Buffer.concat([head, Buffer.from(header), Buffer.from(Float64Array.from(values).buffer)]);
}

describe("readOutputs()", () => {
  it("reads arrays with the shapes they have, their first axis is not runs", async () => {
    const read = async (shape: string, values: number[]) => {
      await writeFile(folder.at("map.npy"), npy(shape, values));
      return short(await readOutputs(folder.at("map.npy"), "map.npy"));
    };
    expect(await read("2, 3", [1, 2, 3, 4, 5, 6])).toEqual([["map", "2x3", 1, 2, 3, 4, 5, 6]]);
    expect(await read("3,", [1, 2, 3])).toEqual([["map", "3", 1, 2, 3]]);
    expect(await read("", [7])).toEqual([["map", "", 7]]);
    expect(await read("1,", [7])).toEqual([["map", "", 7]]);
  });

  it("reads Arrow with fields and units", async () => {
    await writeTable(
      folder.at("o.arrow"),
      tableFrom({
        "te [eV]": [3],
        map: [
          [
            [1, 2],
            [3, 4],
          ],
        ],
      }),
    );
    const outputs = await readOutputs(folder.at("o.arrow"), "o.arrow");
    expect(short(outputs)).toEqual([
      ["te", "", 3],
      ["map", "2x2", 1, 2, 3, 4],
    ]);
    expect(outputs[0]?.unit).toBe("eV");
  });

  it("names a file that is missing, empty or damaged as the user does", async () => {
    await expect(readOutputs(folder.at("none.csv"), "none.csv")).rejects.toThrow(/^none.csv is missing$/);
    await folder.write("empty.csv", "");
    await expect(readOutputs(folder.at("empty.csv"), "empty.csv")).rejects.toThrow(/^empty.csv is empty$/);
    await folder.write("bad.csv", "a,b\n1,2,3\n");
    await expect(readOutputs(folder.at("bad.csv"), "bad.csv")).rejects.toThrow(/^bad.csv: row 1 has 3 cells/);
    const bytes = await readFile(folder.at("o.arrow"));
    await writeFile(folder.at("cut.arrow"), bytes.subarray(0, 200));
    await expect(readOutputs(folder.at("cut.arrow"), "cut.arrow")).rejects.toThrow(/^cut.arrow/);
  });
});

describe("checkedOutputs()", () => {
  const check = (value: unknown, outputs?: readonly string[]) =>
    checkedOutputs(outputsOfValue(value), { inputs: ["a"], ...(outputs === undefined ? {} : { outputs }) });

  it("leaves out echoes of inputs and what is not wanted", () => {
    expect(short(check({ a: 1, y: 2 }))).toEqual([["y", "", 2]]);
    expect(short(check({ version: "1.2", y1: 2, y2: 3, z: NaN }, ["y*"]))).toEqual([
      ["y1", "", 2],
      ["y2", "", 3],
    ]);
  });

  it.each([
    [{ y: NaN }, "y is not a finite number"],
    [{ y: [1, Infinity] }, "y[1] is not a finite number"],
    [{ m: [[1, 2], [3, null]] }, "m[1,1] is not a finite number"], // prettier-ignore
    [{ y: "****" }, "y is not a number: **** (choose outputs with --outputs)"],
    [{ y: [[1, 2], [3]] }, "y is not a number: neither number nor list"],
    [{ y: { z: 1 } }, "y is not a number: neither number nor list"],
    [{ a: 1 }, "it gave no output"],
    [{}, "it gave no output"],
    [undefined, "y is not a number: neither number nor list"],
    [{ status: 1 }, 'an output is called "status"'],
  ])("refuses %j", (value, message) => {
    expect(() => check(value)).toThrow(message);
  });

  it("says which output is not there", () => {
    expect(() => check({ y: 1 }, ["z"])).toThrow('it gave no "z" (but y)');
  });
});

describe("misfit()", () => {
  const layout = outputsOfValue({ y: 1, s: [1, 2] });
  it.each([
    [{ y: 2, s: [3, 4] }, undefined],
    [{ s: [3, 4], y: 2 }, undefined],
    [{ y: 2, s: [3, 4, 5] }, "wrong shape: s is 3, in run 4 it is 2"],
    [{ y: 2, s: 3 }, "wrong shape: s is one number, in run 4 it is 2"],
    [{ y: 2 }, 'wrong outputs: no "s", as run 4 gave'],
    [{ y: 2, s: [1, 2], z: 1 }, 'wrong outputs: "z", which run 4 did not give'],
  ])("of %j is %j", (value, reason) => {
    expect(misfit(outputsOfValue(value), layout, 4)).toBe(reason);
  });
});
