/** The verbs on a finished emulator, against what its random weights should answer. */
import { createRequire } from "node:module";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { tableFromArrays, tableToIPC } from "apache-arrow";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import {
  type DataFrameLike,
  type Emulator,
  encodeTable,
  inspect,
  loadEmulator,
  type Points,
  query,
  type QueryOptions,
  queryStream,
  readTable,
  type Table,
  tableFrom,
  tableRecords,
  validate,
} from "../src/index.ts";
import { columns, expected, someRows } from "./emulator/support.ts";
import { sampleBytes, sampleInfo } from "./support/sample-emulator.ts";

const levels = ["Al", "Cu", "Fe"];
const rows = 6;
const x = someRows(rows, 130);
const answers = expected(x);

/** Rows as a user has them: names and words, and the constant input left out. */
const points = Array.from({ length: rows }, (_, i) => ({
  huge: x[i * columns]!,
  decades: x[i * columns + 1]!,
  material: levels[x[i * columns + 2]!]!,
  shell: x[i * columns + 3]!,
  small: x[i * columns + 4]!,
}));
const inputNames = ["huge", "decades", "material", "shell", "small"] as const;
const byColumn = Object.fromEntries(inputNames.map((name) => [name, points.map((point) => point[name])]));

let folder: string;
let file: string;
let emulator: Emulator;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "condense-query-"));
  file = join(folder, "sample.onnx");
  await writeFile(file, sampleBytes);
  emulator = await loadEmulator(file);
});
afterAll(async () => {
  await emulator.dispose();
  await rm(folder, { recursive: true, force: true });
});

const values = (table: Table, name: string): readonly (number | string)[] => {
  const column = table.columns.find((each) => each.name === name);
  if (column === undefined) throw new Error(`no column ${name} among ${table.columns.map((c) => c.name).join()}`);
  return Array.from<number | string>(column.values);
};

/** The statistic of one element of a field in all rows, as it should be. */
const wanted = (name: string, element = 0, of = answers): number[] => {
  const all = of[name]!;
  const size = all.length / rows;
  return Array.from({ length: all.length / size }, (_, i) => all[i * size + element]!);
};

function expectClose(actual: readonly (number | string)[], target: readonly number[]): void {
  expect(actual).toHaveLength(target.length);
  const scale = Math.max(...target.map(Math.abs));
  // Networks run in float32.
  target.forEach((value, i) => {
    expect(Math.abs(Number(actual[i]) - value) / scale).toBeLessThan(1e-4);
  });
}

function expectAnswers(table: Table): void {
  expect(table.rows).toBe(rows);
  expectClose(values(table, "energy_mean"), wanted("energy_mean"));
  expectClose(values(table, "flux_upper"), wanted("flux_upper"));
  expectClose(values(table, "signal_std[5]"), wanted("signal_std", 5));
  expectClose(values(table, "pair_lower[1,2]"), wanted("pair_lower", 7));
  expect(values(table, "in_domain")).toEqual([1, 1, 1, 1, 1, 1]);
}

describe("query()", () => {
  test("gives inputs, statistics of every element in order, and in_domain", async () => {
    const table = await query(emulator, points);
    const statistics = ["mean", "std", "noise", "lower", "upper"];
    const elements = (name: string, indices: readonly string[]): string[] =>
      statistics.flatMap((statistic) => indices.map((index) => `${name}_${statistic}${index}`));
    expect(table.columns.map(({ name }) => name)).toEqual([
      ...inputNames,
      ...elements("energy", [""]),
      ...elements(
        "signal",
        [0, 1, 2, 3, 4, 5].map((i) => `[${i}]`),
      ),
      ...elements("flux", [""]),
      ...elements(
        "pair",
        [0, 1].flatMap((i) => [0, 1, 2, 3, 4].map((j) => `[${i},${j}]`)),
      ),
      "in_domain",
    ]);
    expectAnswers(table);
    expect(values(table, "material")).toEqual(byColumn.material);
  });

  test("leaves the inputs out when told to", async () => {
    const table = await query(emulator, points, { inputs: false });
    expect(table.columns[0]!.name).toBe("energy_mean");
    expectClose(values(table, "energy_mean"), wanted("energy_mean"));
  });

  test("takes points of every kind, and the emulator as path, bytes or loaded", async () => {
    // Its types do not compile under this project's settings, and it is CommonJS.
    const { DataFrame } = createRequire(import.meta.url)("danfojs-node") as {
      readonly DataFrame: new (data: object) => DataFrameLike;
    };
    const csv = join(folder, "points.csv");
    await writeFile(csv, await encodeTable(tableFrom(points), "csv"));
    const arrow = tableFromArrays(byColumn as Record<string, unknown[]>);
    const feather = join(folder, "points.arrow");
    await writeFile(feather, tableToIPC(arrow, "file"));
    const kinds: Readonly<Record<string, Points>> = {
      rows: points,
      columns: byColumn,
      "typed columns": { ...byColumn, huge: Float64Array.from(points, (point) => point.huge) },
      table: tableFrom(points),
      arrow,
      danfo: new DataFrame(byColumn),
      csv,
      feather,
    };
    for (const source of [file, sampleBytes, emulator])
      for (const [kind, from] of Object.entries(kinds)) {
        const table = await query(source, from);
        expect(values(table, "decades"), kind).toEqual(byColumn.decades);
        expectAnswers(table);
      }
  });

  test("takes one point by name, and a column that is called at", async () => {
    const table = await query(emulator, { at: points[2]! });
    expect(table.rows).toBe(1);
    expectClose(values(table, "energy_mean"), [wanted("energy_mean")[2]!]);
    expectAnswers(await query(emulator, { ...byColumn, at: [1, 2, 3, 4, 5, 6] }));
  });

  test("reads numbers of a point from words, as the command line has them, but leaves levels alone", async () => {
    const words = Object.fromEntries(Object.entries(points[2]!).map(([name, value]) => [name, String(value)]));
    const table = await query(emulator, { at: words });
    expect(values(table, "decades")).toEqual([points[2]!.decades]);
    expectClose(values(table, "energy_mean"), [wanted("energy_mean")[2]!]);
    const inputs = emulator.schema.inputs.map((input) =>
      input.kind === "categorical" ? { ...input, levels: ["007", "7", "x"] } : input,
    );
    const agents = { ...emulator, schema: { ...emulator.schema, inputs } };
    const [first, second] = await Promise.all(
      ["007", "7"].map((material) => query(agents, { at: { ...points[0]!, material } })),
    );
    expect(values(first!, "material")).toEqual(["007"]);
    expect(values(first!, "energy_mean")).not.toEqual(values(second!, "energy_mean"));
  });

  test.each([
    [{ hug: 1 }, /no input "hug" to set .*huge, decades, material.*Did you mean "huge"/],
    [{ huge: 1e20 }, /does not say "decades".*huge, decades, material, shell, small/],
    [{ ...points[0], material: "Pb" }, /"Pb" is not among the levels.*Al, Cu, Fe/],
    [{ ...points[0], shell: "high" }, /the point: row 1, column "shell": "high" is not a number/],
  ])("refuses the point %j", async (at, message) => {
    await expect(query(emulator, { at: at as Record<string, number> })).rejects.toThrow(message);
  });

  test("refuses a point with options beside it", async () => {
    await expect(query(emulator, { at: points[0]!, interval: 0.5 } as unknown as Points)).rejects.toThrow(
      /column "at" is not a list/,
    );
  });

  test("moves the interval to another level, about the same middle", async () => {
    const table = await query(emulator, points, { interval: 0.5 });
    // test/emulator/support.ts: factors 0.7 at level 0.5, 1.5 at 0.9.
    const middle = wanted("energy_lower").map((low, i) => (low + wanted("energy_upper")[i]!) / 2);
    const half = wanted("energy_upper").map((high, i) => (high - middle[i]!) * (0.7 / 1.5));
    expectClose(
      values(table, "energy_lower"),
      middle.map((value, i) => value - half[i]!),
    );
    expectClose(values(table, "energy_mean"), wanted("energy_mean"));
  });

  test.each([0, 1, -0.5, 95, Number.NaN])("refuses the interval %d", async (interval) => {
    await expect(query(emulator, points, { interval })).rejects.toThrow(/interval .*between 0 and 1, such as 0\.95/);
  });

  test("gives the same in batches of any size", async () => {
    const whole = await query(emulator, points);
    for (const batchRows of [1, 4, 6, 100]) {
      const table = await query(emulator, points, { batchRows });
      expect(table.columns.map(({ name }) => name)).toEqual(whole.columns.map(({ name }) => name));
      expectAnswers(table);
      expect(values(table, "material")).toEqual(byColumn.material);
    }
    await expect(query(emulator, points, { batchRows: 0 })).rejects.toThrow(/0 rows at once/);
  });

  test("carries units, shapes and coordinates", async () => {
    const { fields } = sampleInfo.schema;
    const coordinates = [{ name: "time", unit: "ms", values: [0, 1, 2, 3, 4, 5] }];
    const withUnits = {
      ...emulator,
      schema: {
        ...emulator.schema,
        inputs: emulator.schema.inputs.map((input) => (input.name === "huge" ? { ...input, unit: "Hz" } : input)),
        fields: fields.map((field) => (field.name === "signal" ? { ...field, unit: "kV", coordinates } : field)),
      },
    };
    const table = await query(withUnits, points);
    expect(table.columns.find(({ name }) => name === "signal_std[2]")?.unit).toBe("kV");
    expect(table.columns.find(({ name }) => name === "huge")?.unit).toBe("Hz");
    const path = join(folder, "answers.arrow");
    await writeFile(path, await encodeTable(table, "arrow"));
    const back = await readTable(path);
    expect(back.fields?.find(({ name }) => name === "signal_mean")).toEqual({
      name: "signal_mean",
      unit: "kV",
      shape: [6],
      coordinates,
    });
    expect(back.fields?.find(({ name }) => name === "pair_upper")?.shape).toEqual([2, 5]);
  });
});

describe("out of range", () => {
  const outside = points.map((point, i) =>
    i === 3 ? { ...point, shell: 20 } : i === 4 ? { ...point, shell: 0 } : point,
  );
  const ask = async (from: Points, options: QueryOptions): Promise<{ table: Table; warnings: string[] }> => {
    const warnings: string[] = [];
    const table = await query(emulator, from, { ...options, onWarning: (message) => warnings.push(message) });
    return { table, warnings };
  };

  test("warns once for all rows, and predicts there", async () => {
    for (const batchRows of [1, 2, 100]) {
      const { table, warnings } = await ask(outside, { batchRows });
      expect(warnings).toEqual([
        "memory: 2 of 6 rows outside the range of the training runs, where the intervals promise nothing " +
          "(first: row 4, shell = 20, range 1 to 9).",
      ]);
      expect(values(table, "in_domain")).toEqual([1, 1, 1, 0, 0, 1]);
      expect(values(table, "energy_mean").every(Number.isFinite)).toBe(true);
    }
  });

  test("clips: answers as at the end of the range, says so, and keeps the inputs as they were", async () => {
    const { table, warnings } = await ask(outside, { outOfRange: "clip" });
    const inside = await query(
      emulator,
      points.map((point, i) => (i === 3 ? { ...point, shell: 9 } : i === 4 ? { ...point, shell: 1 } : point)),
    );
    expect(values(table, "energy_mean")).toEqual(values(inside, "energy_mean"));
    expect(values(table, "shell")).toEqual(outside.map(({ shell }) => shell));
    expect(values(table, "in_domain")).toEqual([1, 1, 1, 0, 0, 1]);
    expect(warnings).toEqual([expect.stringMatching(/2 of 6 rows moved to the range .*row 4, shell = 20/)]);
  });

  test("refuses with row, input, value and range", async () => {
    await expect(query(emulator, outside, { outOfRange: "error", batchRows: 2 })).rejects.toMatchObject({
      code: "DATA_OUT_OF_RANGE",
      message: expect.stringMatching(
        /^memory: row 4, shell = 20, range 1 to 9: .*--out-of-range warn or clip\.$/,
      ) as string,
    });
    await expect(query(emulator, points, { outOfRange: "error" })).resolves.toMatchObject({ rows });
  });

  test("knows inputs that never varied", async () => {
    const fixed = points.map((point, i) => ({ ...point, fixed: i === 1 ? 2 : 1 }));
    const { table, warnings } = await ask(fixed, {});
    expect(values(table, "in_domain")).toEqual([1, 0, 1, 1, 1, 1]);
    expect(warnings).toEqual([
      expect.stringMatching(/1 of 6 rows .*\(first: row 2, fixed = 2, 1 in every training run\)/),
    ]);
    await expect(query(emulator, fixed, { outOfRange: "error" })).rejects.toThrow(/row 2, fixed = 2/);
  });

  test("refuses a choice that is none", async () => {
    await expect(query(emulator, points, { outOfRange: "ignore" as "warn" })).rejects.toThrow(/warn, error, clip/);
  });
});

test("a row without an input gets no numbers, is outside, and is reported; the others are answered", async () => {
  const gaps = points.map((point, i) =>
    i === 1 ? { ...point, huge: Number.NaN } : i === 4 ? { ...point, material: "" } : point,
  );
  const warnings: string[] = [];
  // Networks may make a number of what is none: a rectifier gives 0.
  const numb = {
    ...emulator,
    predict: (rows: Float64Array) => emulator.predict(rows.map((v) => (Number.isNaN(v) ? 1 : v))),
  };
  const table = await query(numb, gaps, { onWarning: (message) => warnings.push(message), batchRows: 4 });
  for (const name of ["energy_mean", "energy_std", "signal_noise[3]", "pair_lower[0,0]", "flux_upper"]) {
    const found = values(table, name).map((value) => Number.isNaN(value));
    expect(found, name).toEqual([false, true, false, false, true, false]);
  }
  expect(values(table, "in_domain")).toEqual([1, 0, 1, 1, 0, 1]);
  expect(warnings).toEqual([expect.stringMatching(/^memory: 2 of 6 rows without a value .*\(first: row 2\)/)]);
});

test("a row without a finite answer is reported", async () => {
  const warnings: string[] = [];
  const odd = points.map((point, i) => (i === 2 ? { ...point, decades: -1 } : point));
  const table = await query(emulator, odd, { onWarning: (message) => warnings.push(message) });
  expect(values(table, "energy_mean")[2]).toBeNaN(); // the logarithm of a negative number
  expect(warnings).toHaveLength(2);
  expect(warnings[0]).toMatch(/1 of 6 rows outside .*decades = -1/);
  expect(warnings[1]).toMatch(/1 of 6 rows without a finite answer \(first: row 3\)/);
});

describe("queryStream()", () => {
  test("streams 100 000 rows of text in constant memory", async () => {
    const total = 100_000;
    let asked = 0;
    async function* lines(): AsyncGenerator<string> {
      yield `${inputNames.join(",")}\n`;
      for (let i = 0; i < total; i += 1000) {
        asked = i;
        let text = "";
        for (let k = 0; k < 1000; k++) {
          const { huge, decades, material, shell, small } = points[(i + k) % rows]!;
          text += `${huge},${decades},${material},${shell},${small}\n`;
        }
        yield text;
      }
    }
    let seen = 0;
    let first = 0;
    let peak = 0;
    let ahead = 0;
    for await (const batch of queryStream(emulator, lines(), { batchRows: 2000 })) {
      expect(batch.rows).toBe(2000);
      expect(batch.rowsBefore).toBe(seen);
      seen += batch.rows;
      ahead = Math.max(ahead, asked - seen);
      const { heapUsed, arrayBuffers } = process.memoryUsage();
      if (seen <= 10_000) first = Math.max(first, heapUsed + arrayBuffers);
      peak = Math.max(peak, heapUsed + arrayBuffers);
    }
    expect(seen).toBe(total);
    // The source is read no further ahead than the buffers between here and there.
    expect(ahead).toBeLessThan(10_000);
    // All answers at once are 100 000 rows of 96 columns of 8 bytes, 77 MB; slack is for what is not collected yet.
    expect(peak - first).toBeLessThan(50e6);
  });

  test("closes its source and tells what was odd when the reader leaves early", async () => {
    let closed = false;
    const warnings: string[] = [];
    async function* long(): AsyncGenerator<string> {
      try {
        yield `${inputNames.join(",")}\n`;
        for (let i = 0; i < 1000; i++) yield "1e20,1,Cu,12,0\n".repeat(500);
      } finally {
        closed = true;
      }
    }
    const stream = queryStream(file, long(), { batchRows: 10, onWarning: (message) => warnings.push(message) });
    for await (const batch of stream) {
      expect(batch.rows).toBe(10);
      break;
    }
    expect(closed).toBe(true);
    expect(warnings).toEqual([expect.stringMatching(/^stdin: 10 of 10 rows outside .*row 1, shell = 12/)]);
  });

  test("names the row of the whole stream", async () => {
    const text = `${inputNames.join(",")}\n${"1e20,1,Cu,3,0\n".repeat(7)}1e20,1,Pb,3,0\n`;
    async function* source(): AsyncGenerator<string> {
      yield text;
    }
    const read = async (): Promise<void> => {
      for await (const batch of queryStream(emulator, source(), { batchRows: 3 }))
        expect(batch.rows).toBeGreaterThan(0);
    };
    await expect(read()).rejects.toThrow(/stdin: row 8, column "material": "Pb"/);
  });
});

test("tableRecords() makes one object per row, a field one nested list, no number a null", async () => {
  const table = await query(emulator, [points[0]!, { ...points[1]!, huge: Number.NaN }]);
  const [good, gap] = tableRecords(table);
  expect(Object.keys(good!)).toEqual([
    ...inputNames,
    ...["energy", "signal", "flux", "pair"].flatMap((name) =>
      ["mean", "std", "noise", "lower", "upper"].map((statistic) => `${name}_${statistic}`),
    ),
    "in_domain",
  ]);
  const pair = good!.pair_mean as readonly (readonly number[])[];
  expect(pair.map((row) => row.length)).toEqual([5, 5]);
  expectClose(pair.flat(), Array.from(answers.pair_mean!.subarray(0, 10)));
  expect(gap).toMatchObject({ huge: null, energy_mean: null, signal_std: new Array(6).fill(null), in_domain: 0 });
  expect(JSON.parse(JSON.stringify(good))).toEqual(good);
});

describe("loadEmulator() and inspect()", () => {
  test("read path and bytes alike", async () => {
    expect(await inspect(file)).toEqual(sampleInfo);
    expect(await inspect(sampleBytes)).toEqual(sampleInfo);
  });

  test.each([
    ["no.onnx", /no\.onnx: no such file\. Make it with condense fit/],
    [".", /is a folder\. Name an emulator file in it/],
  ])("refuse the path %s", async (name, message) => {
    await expect(inspect(join(folder, name))).rejects.toThrow(message);
    await expect(loadEmulator(join(folder, name))).rejects.toThrow(message);
  });

  test("refuse bytes that are none, and an unknown engine", async () => {
    await expect(loadEmulator(sampleBytes.subarray(0, 5000))).rejects.toMatchObject({
      code: expect.stringMatching(/^FILE_/) as string,
      message: expect.stringMatching(/^emulator: /) as string,
    });
    await expect(loadEmulator(sampleBytes, { engine: "torch" as "tfjs" })).rejects.toThrow(/onnxruntime, tfjs/);
  });

  test("an emulator that the caller loaded stays open", async () => {
    await query(emulator, points);
    expectAnswers(await query(emulator, points));
  });
});

describe("validate()", () => {
  /** Runs whose truth is the emulator's answer, but for what `shift` adds to the energy. */
  const runs = (shift: (row: number) => number): Record<string, number | string>[] =>
    points.map((point, i) => ({
      ...point,
      energy: wanted("energy_mean")[i]! + shift(i),
      flux: wanted("flux_mean")[i]!,
      ...Object.fromEntries(Array.from({ length: 6 }, (_, j) => [`signal[${j}]`, wanted("signal_mean", j)[i]!])),
      ...Object.fromEntries(
        Array.from({ length: 10 }, (_, j) => [`pair[${Math.floor(j / 5)},${j % 5}]`, wanted("pair_mean", j)[i]!]),
      ),
    }));
  const halfWidth = (i: number): number => (wanted("energy_upper")[i]! - wanted("energy_lower")[i]!) / 2;

  test("scores field by field and in all", async () => {
    // The energy of every other row lies just outside of its interval.
    const found = await validate(
      emulator,
      runs((i) => (i % 2 === 0 ? 1.1 * halfWidth(i) : 0)),
    );
    expect(found).toMatchObject({ rows: 6, leftOut: 0, level: 0.9, failures: [] });
    expect(found.fields.map(({ field, count, coverage }) => [field, count, coverage])).toEqual([
      ["energy", 6, 0.5],
      ["signal", 36, 1],
      ["flux", 6, 1],
      ["pair", 60, 1],
    ]);
    const [energy, signal] = found.fields;
    const squares = [0, 2, 4].map((i) => (1.1 * halfWidth(i)) ** 2);
    expect(energy!.rmse / Math.sqrt(squares.reduce((a, c) => a + c, 0) / 6)).toBeCloseTo(1, 3);
    expect(signal!.fvu).toBeLessThan(1e-6);
    expect(found.overall.coverage).toBeCloseTo((3 + 36 + 6 + 60) / 108, 12);
    expect(found.overall.coverageError).toBeCloseTo(Math.sqrt(0.09 / 6), 12);
  });

  test("takes two tables by path, leaves gaps out, and gates", async () => {
    const all = runs((i) => 5 * halfWidth(i));
    all[2]!.energy = Number.NaN;
    const gaps = points.map((point, i) => (i === 5 ? { ...point, material: "" } : point));
    const inputs = join(folder, "inputs.csv");
    const outputs = join(folder, "outputs.arrow");
    await writeFile(inputs, await encodeTable(tableFrom(gaps), "csv"));
    const bare = all.map((run) => Object.fromEntries(Object.entries(run).filter(([name]) => !(name in points[0]!))));
    await writeFile(outputs, await encodeTable(tableFrom(bare), "arrow"));
    const found = await validate(file, { inputs, outputs }, { minCoverage: 0.8, maxFvu: 1e-3 });
    expect(found).toMatchObject({ rows: 4, leftOut: 2 });
    expect(found.failures).toEqual([
      "energy: coverage 0.0000 is below 0.8",
      expect.stringMatching(/^energy: FVU .* is above 0\.001$/),
    ]);
  });

  test("a gate on the FVU of an output that does not vary fails, rather than passing unseen", async () => {
    const one = runs(() => 0).slice(0, 1);
    const found = await validate(emulator, one, { maxFvu: 1 });
    expect(found.fields[0]!.fvu).toBeNaN();
    expect(found.failures[0]).toBe("energy: FVU cannot be told, the runs do not vary in it");
  });

  test("refuses tables that do not fit", async () => {
    const all = runs(() => 0);
    const lacking = all.map(({ flux: _, ...run }) => run);
    await expect(validate(emulator, lacking as Record<string, number>[])).rejects.toThrow(/no column "flux"/);
    const words = all.map((run, i) => ({ ...run, flux: i === 0 ? "" : "high" }));
    await expect(validate(emulator, words)).rejects.toThrow(/row 2, column "flux": "high" is not a number/);
    const short = { inputs: tableFrom(points), outputs: tableFrom(all.slice(1)) };
    await expect(validate(emulator, short)).rejects.toThrow(/has 6 rows, .* has 5/);
    const gaps = all.map((run) => ({ ...run, energy: Number.NaN }));
    await expect(validate(emulator, gaps)).rejects.toThrow(/no complete run among the 6/);
  });
});
