/** The verb `fit`: same bytes for the same seed wherever it runs, every kind of table, limits, noise, early ends. */
import { writeFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { join } from "node:path";
import { tableFromArrays } from "apache-arrow";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { dataHash, type DataFrameLike } from "../src/data/index.ts";
import {
  buildRuns,
  describeEmulator,
  fit,
  type FitOptions,
  inProcess,
  inspect,
  query,
  type RunsLike,
  tableFrom,
  toRunTables,
  workerPool,
} from "../src/index.ts";
import { makeRng } from "../src/rng.ts";
import { csvOf, makeFolder, smoothRows, tinySpace } from "./cli/support.ts";

// Its types do not compile under this project's settings, and it is CommonJS.
const { DataFrame } = createRequire(import.meta.url)("danfojs-node") as {
  readonly DataFrame: new (data: object) => DataFrameLike;
};

let folder: Awaited<ReturnType<typeof makeFolder>>;
beforeAll(async () => {
  folder = await makeFolder();
});
afterAll(() => folder.remove());

const small = { members: 2, effort: "quick", space: tinySpace } as const satisfies FitOptions;
/** Runs of a and b that give y alone. */
const scalarRows = (rows: number): { a: number; b: number; y: number }[] =>
  smoothRows(rows).map(({ a, b, y }) => ({ a, b, y }));
/** For tests that do not look at accuracy. */
const fast = { ...small, ensemble: "supernet" } as const satisfies FitOptions;

const column = (table: Awaited<ReturnType<typeof query>>, name: string): number[] =>
  Array.from(table.columns.find((each) => each.name === name)?.values ?? [], Number);

describe("the same runs, options and seed", () => {
  const rows = smoothRows(24);
  const options: FitOptions = { ...small, outputs: ["y", "z"], strategy: "random" };
  let bytes: Uint8Array;
  beforeAll(async () => {
    ({ bytes } = await fit(rows, options));
  });

  test("give the same bytes, one after another in this process or on two threads", async () => {
    expect(Buffer.compare((await fit(rows, { ...options, runner: inProcess() })).bytes, bytes)).toBe(0);
    const runner = workerPool(2);
    try {
      expect(Buffer.compare((await fit(rows, { ...options, runner })).bytes, bytes)).toBe(0);
    } finally {
      await runner.dispose();
    }
  });

  test("are the same runs from a file, rows, columns, Arrow or a Danfo frame, in one table or two", async () => {
    const path = join(folder.path, "runs.csv");
    await writeFile(path, csvOf(rows));
    const of = (name: keyof (typeof rows)[number]): Float64Array => Float64Array.from(rows, (row) => row[name]);
    const columns = { a: of("a"), b: of("b"), y: of("y"), z: of("z") };
    const lists = { a: [...columns.a], b: [...columns.b], y: [...columns.y], z: [...columns.z] };
    const { a, b, y, z } = lists;
    const forms: readonly RunsLike[] = [
      path,
      columns,
      lists,
      tableFrom(rows),
      tableFromArrays(columns),
      new DataFrame(lists),
      { inputs: new DataFrame({ a, b }), outputs: { y, z } },
      { inputs: path, outputs: path },
      { inputs: tableFromArrays({ a: columns.a, b: columns.b }), outputs: rows.map(({ y, z }) => ({ y, z })) },
    ];
    const choice = { inputs: ["a", "b"], outputs: ["y", "z"] };
    const expected = dataHash(buildRuns(tableFrom(rows), choice));
    for (const form of forms) expect(dataHash(buildRuns(await toRunTables(form), choice))).toBe(expected);
    const fromPath = await fit(path, { ...options, ...fast });
    const fromPair = await fit({ inputs: new DataFrame({ a, b }), outputs: { y, z } }, { ...fast, strategy: "random" });
    expect(Buffer.compare(fromPath.bytes, fromPair.bytes)).toBe(0);
  });

  test("and another seed gives others", async () => {
    const [one, two] = [await fit(rows, { ...options, ...fast }), await fit(rows, { ...options, ...fast, seed: 2 })];
    expect(Buffer.compare(one.bytes, two.bytes)).not.toBe(0);
  });

  test("learn the simulator", async () => {
    const truth = smoothRows(50, 99);
    const table = await query(
      bytes,
      truth.map(({ a, b }) => ({ a, b })),
    );
    const mean = column(table, "y_mean");
    const squares = truth.reduce((sum, row, i) => sum + (row.y - mean[i]!) ** 2, 0) / truth.length;
    const centre = truth.reduce((sum, row) => sum + row.y, 0) / truth.length;
    const variance = truth.reduce((sum, row) => sum + (row.y - centre) ** 2, 0) / truth.length;
    expect(squares / variance).toBeLessThan(0.1);
  });
});

test("columns that are called inputs and outputs are one table", async () => {
  const rows = smoothRows(20);
  const { runs } = await fit(
    { inputs: rows.map((row) => row.a), outputs: rows.map((row) => row.y) },
    { ...fast, outputs: ["outputs"] },
  );
  expect(runs.schema.inputs.map((input) => input.name)).toEqual(["inputs"]);
});

test("fit() names files and columns that are not there", async () => {
  await expect(fit(folder.at("nope.csv"), { outputs: ["y"] })).rejects.toThrow(/nope\.csv: no such file/);
  await expect(fit(smoothRows(20), { outputs: ["q"] })).rejects.toThrow(/no column "q"/);
  await expect(
    fit({ inputs: smoothRows(20), outputs: smoothRows(19) }, { outputs: ["y"], inputs: ["a"] }),
  ).rejects.toThrow(/inputs has 20 rows, outputs has 19/);
});

describe("where processes predict far better than the first networks", () => {
  const rows = scalarRows(60);
  // By the Huber loss networks are finished by L-BFGS; by Levenberg-Marquardt they would keep up.
  const options: FitOptions = { ...small, outputs: ["y"], members: 4, loss: "huber" };

  test("the others are not trained, all runs calibrate, and the file says so", async () => {
    const { info } = await fit(rows, options);
    expect(info.members.length).toBe(2);
    const [{ networkShare, heldOutCrps, quantiles } = {}] = info.calibration;
    expect(networkShare).toBe(0);
    expect(heldOutCrps!.networks).toBeGreaterThan(3 * heldOutCrps!.processes);
    // Two folds of four hold 30 of the 60 runs: the quantile of 99 % would be that of 95 %.
    const at = (level: number): number => quantiles!.find((each) => each.level === level)!.factor;
    expect(at(0.99)).toBeGreaterThan(at(0.9545));
    expect(describeEmulator(info)).toMatch(/: an emulator of Gaussian processes \(/);
    expect(describeEmulator(info)).toMatch(
      /The 2 networks that were trained missed held-out runs by [\d.]+ times as much/,
    );
  });

  test("unless all are asked for", async () => {
    const membersTrained = async (more: FitOptions): Promise<number> => {
      const own = inProcess();
      let count = 0;
      const run: typeof own.run = (task, input, given) => {
        if (task.name === "trainMember") count++;
        return own.run(task, input, given);
      };
      await fit(rows, { ...options, ...more, runner: { ...own, run } });
      return count;
    };
    expect((await membersTrained({ allMembers: true })) - (await membersTrained({}))).toBe(2);
  });
});

test("supernet ensembles hold up to 32 members that know how sure they are", async () => {
  const { members: _, ...options } = fast;
  const { info, bytes } = await fit(scalarRows(24), { ...options, outputs: ["y"], strategy: "dense" });
  expect(info.fit.ensemble).toBe("supernet");
  // As many distinct architectures as the search of so small a space has finally left, 32 at most.
  expect(info.members.length).toBeGreaterThan(2);
  expect(info.members.length).toBeLessThanOrEqual(32);
  const table = await query(bytes, { at: { a: 0.5, b: 2 } });
  expect(column(table, "y_std")[0]).toBeGreaterThan(0);
  expect(Math.abs(column(table, "y_mean")[0]! - (Math.sin(1.5) + 2))).toBeLessThan(1);
});

describe("a limit on multiply-accumulates", () => {
  const base: FitOptions = { ...fast, outputs: ["y"] };

  test("holds for all members", async () => {
    const free = await fit(scalarRows(24), base);
    const most = Math.max(...free.info.members.map((member) => member.macs));
    const limit = Math.floor(0.8 * most);
    for (const strategy of ["dense", "random"]) {
      const { info } = await fit(scalarRows(24), { ...base, strategy, constraint: { limit, kind: "hard" } });
      expect(info.members.length).toBeGreaterThan(0);
      for (const { macs } of info.members) expect(macs).toBeLessThanOrEqual(limit);
    }
  });

  test("that nothing meets is refused", async () => {
    await expect(fit(scalarRows(24), { ...base, constraint: { limit: 2, kind: "hard" } })).rejects.toMatchObject({
      name: "OptionError",
      message: expect.stringMatching(/\b2\b/) as string,
    });
  });
});

test.each([
  ["strategy", "dens"],
  ["effort", "none"],
  ["engine", "torch"],
  ["loss", "l1"],
  ["ensemble", "bagged"],
  ["members", 1],
  ["level", 1],
])("fit() refuses %s %s", async (name, value) => {
  await expect(fit(scalarRows(20), { outputs: ["y"], [name]: value })).rejects.toMatchObject({
    code: expect.stringMatching(/^(OPTION|ENGINE|SEARCH)_/) as string,
    message: expect.stringContaining(String(value)) as string,
  });
});

describe("noise of the simulator", () => {
  test("is found where runs repeat, within 30 %", async () => {
    const rng = makeRng(11);
    const std = 0.2;
    const rows = smoothRows(20).flatMap(({ a, b, y }) => [1, 2, 3].map(() => ({ a, b, y: y + std * rng.normal() })));
    const { bytes, info } = await fit(rows, { ...small, outputs: ["y"] });
    expect(info.fit.loss).toBe("gaussian");
    const found = column(
      await query(
        bytes,
        smoothRows(50, 7).map(({ a, b }) => ({ a, b })),
      ),
      "y_noise",
    );
    const mean = found.reduce((sum, value) => sum + value, 0) / found.length;
    expect(mean / std).toBeGreaterThan(0.7);
    expect(mean / std).toBeLessThan(1.3);
  });

  test("is 0 where none do", async () => {
    const { bytes, info } = await fit(scalarRows(20), { ...fast, outputs: ["y"] });
    expect(info.fit.loss).toBe("mse");
    expect(
      column(
        await query(bytes, [
          { a: 0.2, b: 2 },
          { a: 0.9, b: 1 },
        ]),
        "y_noise",
      ),
    ).toEqual([0, 0]);
  });
});

describe("mixed runs", () => {
  const rows = smoothRows(40).map(({ a, b }, i) => {
    const gas = ["He", "Ar"][i % 2]!;
    const height = gas === "He" ? 1 : 3;
    const line = Array.from({ length: 8 }, (_, k) => height * Math.sin(a + k / 4) + b);
    return {
      a,
      b,
      gas,
      fixed: 7,
      y: height + a,
      ...Object.fromEntries(line.map((value, k) => [`line[${k}]`, value])),
    };
  });

  test("have words, constants, scalars and a field, and are answered in kind", async () => {
    const { bytes, info } = await fit(rows, {
      ...small,
      space: { ...tinySpace, channels: 8, stageNodes: 1 },
      outputs: ["y", "line*"],
    });
    expect(info.schema.inputs.map(({ name, kind }) => [name, kind])).toEqual([
      ["a", "real"],
      ["b", "real"],
      ["gas", "categorical"],
      ["fixed", "integer"],
    ]);
    expect(info.schema.fields.map(({ name, shape }) => [name, shape])).toEqual([
      ["y", []],
      ["line", [8]],
    ]);
    // A constant input need not be said.
    const [he, ar] = [
      await query(bytes, { at: { a: 0.5, b: 2, gas: "He" } }),
      await query(bytes, { at: { a: 0.5, b: 2, gas: "Ar", fixed: 7 } }),
    ];
    expect(column(he, "y_mean")[0]! - 1.5).toBeLessThan(0.5);
    expect(column(ar, "y_mean")[0]! - column(he, "y_mean")[0]!).toBeGreaterThan(1);
    expect(column(he, "line_mean[3]")).toHaveLength(1);
    expect(column(he, "in_domain")).toEqual([1]);
    expect(column(await query(bytes, { at: { a: 0.5, b: 2, gas: "He", fixed: 8 } }), "in_domain")).toEqual([0]);
    await expect(query(bytes, { at: { a: 0.5, b: 2, gas: "Xe" } })).rejects.toThrow(/"Xe".*Ar, He|"Xe".*He, Ar/);
  });
});

describe("a fit that ends early", () => {
  /** More work than the tests have time for. */
  const long = { outputs: ["y"], members: 4, effort: "thorough" } as const satisfies FitOptions;
  const rows = scalarRows(60);

  test("by the clock is there in time, usable, and says so", async () => {
    const timeMs = 4000;
    const began = performance.now();
    const { bytes, info } = await fit(rows, { ...long, timeMs });
    expect(performance.now() - began).toBeLessThan(1.5 * timeMs + 2000);
    expect(info.fit.outcome).toBe("time");
    expect((await inspect(bytes)).fit.outcome).toBe("time");
    const mean = column(await query(bytes, { at: { a: 0.5, b: 2 } }), "y_mean")[0]!;
    expect(Math.abs(mean - (Math.sin(1.5) + 2))).toBeLessThan(0.5);
  });

  test.each(["probe", "search", "train"])("by stop() during the %s keeps the best so far", async (phase) => {
    const runner = inProcess();
    let stopped = Number.POSITIVE_INFINITY;
    const { bytes, info } = await fit(rows, {
      ...long,
      ...(phase === "probe" ? {} : { effort: "quick", members: 2, space: tinySpace }),
      runner,
      onProgress: (progress) => {
        if (progress.phase === phase && !runner.stopped) {
          runner.stop();
          stopped = performance.now();
        }
      },
    });
    expect(performance.now() - stopped).toBeLessThan(5000);
    expect(info.fit.outcome).toBe("interrupted");
    expect(column(await query(bytes, { at: { a: 0.5, b: 2 } }), "y_mean")[0]).toBeTypeOf("number");
    expect(info.members.length).toBeGreaterThanOrEqual(2);
  });
});

test("progress rises from 0 to 1 through the phases", async () => {
  const seen: { phase: string; fraction: number }[] = [];
  await fit(scalarRows(20), { ...small, outputs: ["y"], onProgress: (progress) => void seen.push(progress) });
  expect([...new Set(seen.map(({ phase }) => phase))]).toEqual(["probe", "search", "train"]);
  for (let i = 1; i < seen.length; i++) expect(seen[i]!.fraction).toBeGreaterThanOrEqual(seen[i - 1]!.fraction - 1e-12);
  expect(seen.at(-1)!.fraction).toBeCloseTo(1, 6);
});
