/**
 * Benchmark: the duqling study's test functions (Rumsey, Gibson, Francom & Morris 2025, arXiv 2512.09060). Fits every case
 * of a suite's folder with default settings and writes predictions of the noise-free function and of a new observation.
 *
 *     npx tsx bench/duqling.ts SUITE_FOLDER --out DIR [--method process|emulator] [--only fn,...] [--runs 500] [--noise 0]
 *                                           [--repetition 1] [--jobs 1] [--again]
 *
 * SUITE_FOLDER holds cases.csv (case, function, n_train, nsr, rep, ...) and for each case a folder with train.csv and
 * test.csv (x1..xd, y, ...). DIR/<case>.csv gets mean,std,std_obs per test row, DIR/<case>.json the times in seconds.
 * Cases already in DIR are left out unless --again is given.
 */
import { existsSync } from "node:fs";
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { parseArgs } from "node:util";
import { fit, loadEmulator, type TaskRunner, workerPool } from "../src/index.ts";
import { fitProcess, predictProcess } from "../src/process/index.ts";

interface Prediction {
  readonly mean: Float64Array;
  /** Standard deviation of the noise-free function. */
  readonly std: Float64Array;
  /** Standard deviation of the noise. */
  readonly noise: Float64Array;
  readonly fitSeconds: number;
  /** Of the processor, over all threads; true only with --jobs 1. */
  readonly cpuSeconds: number;
  readonly note: string;
}

interface Rows {
  readonly x: Float64Array;
  readonly y: Float64Array;
  readonly n: number;
  readonly d: number;
}

async function csv(path: string): Promise<{ head: string[]; rows: string[][] }> {
  const [head = "", ...lines] = (await readFile(path, "utf8")).trim().split("\n");
  const cells = (line: string): string[] => line.trim().split(",");
  return { head: cells(head).map((name) => name.replaceAll('"', "")), rows: lines.map(cells) };
}

async function rowsOf(path: string): Promise<Rows> {
  const { head, rows } = await csv(path);
  const d = head.filter((name) => /^x\d+$/.test(name)).length;
  const x = Float64Array.from(rows.flatMap((row) => row.slice(0, d).map(Number)));
  return { x, y: Float64Array.from(rows, (row) => Number(row[d])), n: rows.length, d };
}

/** Mean and standard deviation of a column. */
function moments(values: Float64Array): { mean: number; std: number } {
  const mean = values.reduce((a, b) => a + b, 0) / values.length;
  const std = Math.sqrt(values.reduce((a, b) => a + (b - mean) ** 2, 0) / values.length);
  return { mean, std: std > 0 ? std : 1 };
}

/** Seconds since the call, by the clock and of the processor. */
function stopwatch(): () => { fitSeconds: number; cpuSeconds: number } {
  const start = performance.now();
  const cpu = process.cpuUsage();
  return () => {
    const { user, system } = process.cpuUsage(cpu);
    return { fitSeconds: (performance.now() - start) / 1000, cpuSeconds: (user + system) / 1e6 };
  };
}

async function byProcess(train: Rows, test: Rows): Promise<Prediction> {
  const { n, d } = train;
  const columns = Array.from({ length: d }, (_, l) =>
    moments(Float64Array.from({ length: n }, (_, i) => train.x[i * d + l]!)),
  );
  const scaled = (x: Float64Array): Float64Array => x.map((v, i) => (v - columns[i % d]!.mean) / columns[i % d]!.std);
  const out = moments(train.y);
  const elapsed = stopwatch();
  const found = await fitProcess(
    scaled(train.x),
    train.y.map((v) => (v - out.mean) / out.std),
    { n, d, m: 1 },
  );
  const times = elapsed();
  const { mean, variance } = await predictProcess(found, scaled(test.x));
  const [output] = found.outputs;
  const parts = output!.components.map(
    (c) => `${c.kernel.name}${c.kernel.weights ? "*" : ""} ${c.weight.toFixed(2)} nugget ${c.nugget.toExponential(1)}`,
  );
  const { power, size, prior } = output!.spread;
  return {
    mean: mean.map((v) => v * out.std + out.mean),
    std: variance.map((v) => Math.sqrt(v) * out.std),
    noise: new Float64Array(test.n).fill(Math.sqrt(output!.noise) * out.std),
    ...times,
    note: `${parts.join(", ")}; spread ${size.toPrecision(2)}^${power} (${prior}); noise ${output!.noise.toExponential(1)}; loo crps ${output!.looCrps.toPrecision(3)}`,
  };
}

async function byEmulator(train: Rows, test: Rows, runner: TaskRunner): Promise<Prediction> {
  const table = ({ x, n, d }: Rows): Record<string, Float64Array> =>
    Object.fromEntries(
      Array.from({ length: d }, (_, l) => [`x${l + 1}`, Float64Array.from({ length: n }, (_, i) => x[i * d + l]!)]),
    );
  const elapsed = stopwatch();
  const { bytes, info } = await fit({ ...table(train), y: train.y }, { outputs: ["y"], runner });
  const times = elapsed();
  const emulator = await loadEmulator(bytes);
  const [field] = await emulator.predict(test.x);
  await emulator.dispose();
  const [calibration] = info.calibration;
  const note = `share of the networks ${(calibration?.networkShare ?? 1).toFixed(2)}, ${info.fit.stage}`;
  return { mean: field!.mean, std: field!.std, noise: field!.noise, ...times, note };
}

async function main(): Promise<void> {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      out: { type: "string" },
      method: { type: "string", default: "process" },
      only: { type: "string" },
      runs: { type: "string" },
      noise: { type: "string" },
      repetition: { type: "string" },
      jobs: { type: "string", default: "1" },
      again: { type: "boolean", default: false },
    },
  });
  const [suite] = positionals;
  if (suite === undefined || values.out === undefined)
    throw new Error("usage: bench/duqling.ts SUITE_FOLDER --out DIR");
  const { out, method } = values;
  if (method !== "process" && method !== "emulator") throw new Error(`--method is ${method}: process or emulator`);
  await mkdir(out, { recursive: true });
  const { head, rows } = await csv(`${suite}/cases.csv`);
  const cell = (row: readonly string[], name: string): string => row[head.indexOf(name)] ?? "";
  const only = values.only?.split(",");
  const cases = rows
    .filter((row) => only === undefined || only.includes(cell(row, "function")))
    .filter((row) => values.runs === undefined || Number(cell(row, "n_train")) === Number(values.runs))
    .filter((row) => values.noise === undefined || Number(cell(row, "nsr")) === Number(values.noise))
    .filter((row) => values.repetition === undefined || cell(row, "rep") === values.repetition)
    .map((row) => cell(row, "case"))
    .filter((name) => values.again || !existsSync(`${out}/${name}.csv`));
  const runner = workerPool();
  const work = async (): Promise<void> => {
    for (let name = cases.shift(); name !== undefined; name = cases.shift()) {
      const train = await rowsOf(`${suite}/${name}/train.csv`);
      const test = await rowsOf(`${suite}/${name}/test.csv`);
      const found = await (method === "process" ? byProcess(train, test) : byEmulator(train, test, runner));
      const lines = Array.from(found.mean, (mean, i) =>
        [mean, found.std[i], Math.hypot(found.std[i]!, found.noise[i]!)].join(","),
      );
      await writeFile(
        `${out}/${name}.json`,
        JSON.stringify({ t_fit: found.fitSeconds, t_cpu: found.cpuSeconds, note: found.note }),
      );
      await writeFile(`${out}/${name}.csv`, `mean,std,std_obs\n${lines.join("\n")}\n`);
      console.log(
        `${name.padEnd(36)} ${found.fitSeconds.toFixed(1).padStart(6)} s, ${found.cpuSeconds.toFixed(1)} of cpu  ${found.note}`,
      );
    }
  };
  await Promise.all(Array.from({ length: Number(values.jobs) }, work));
  await runner.dispose();
}

await main();
