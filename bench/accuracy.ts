/**
 * Benchmark: accuracy and coverage with default settings on the tables in datasets/: a fifth of the runs is held out, the
 * emulator is fitted to the rest. Beside it, if asked, Gaussian processes, quadratic ridge regression and an ensemble of MLPs
 * (bench/peers.py) on the same rows, scored by the same code.
 *
 *     npx tsx bench/accuracy.ts [--datasets a,b] [--data FOLDER] [--seeds 1,2] [--effort standard] [--peers gp,rbf,ridge,mlp]
 *                               [--gp-restarts 0] [--keep FILE]
 *
 * FVU is the median over the outputs, CRPS the mean over all held-out numbers in standard deviations of their output,
 * coverage that of the 95 % intervals. FOLDER holds tables of its own, in folders of inputs.csv and outputs.csv, and
 * schema.json where needed. FILE keeps the answers (JSON lines): what it holds is not computed again, so that peers and
 * seeds may be run in parts. Peers need PyTorch and scikit-learn in `python3`, or in the interpreter in the environment
 * variable PYTHON.
 */
import { spawn } from "node:child_process";
import { appendFileSync, existsSync, readFileSync } from "node:fs";
import { text } from "node:stream/consumers";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { elementFvu } from "../src/analysis/index.ts";
import { fieldSize, takeRuns, varyingInputs } from "../src/data/index.ts";
import {
  buildRuns,
  type Effort,
  fitRuns,
  holdOut,
  loadEmulator,
  makeRng,
  median,
  parseSchemaDraft,
  readTable,
  type Runs,
  workerPool,
} from "../src/index.ts";
import { gaussianCrps } from "../src/normal.ts";

const datasets = [
  "fuel-performance",
  "mitr-power",
  "energy-efficiency",
  "b777-engine",
  "mpgadget-pk",
  "cardiac-8p-sham",
  "al5083-flyer",
];
/** Tables whose outputs are log10 of a positive quantity, of which the relative error is told too. */
const logarithmic = new Set(["mpgadget-pk"]);

const peerTitles = {
  gp: "Gaussian process, Matern 5/2",
  rbf: "Gaussian process, RBF",
  ridge: "quadratic ridge",
  mlp: "5 MLPs, Adam",
} as const;
type PeerName = keyof typeof peerTitles;
const own = "condense";

/** Predictions per field, n x size: mean, standard deviation of a new run, interval of 95 %. */
interface Answer {
  readonly fields: readonly {
    readonly mean: Float64Array;
    readonly std: Float64Array;
    readonly lower: Float64Array;
    readonly upper: Float64Array;
  }[];
  readonly seconds: number;
}

/** How one method did on one split of one table. */
interface Score {
  readonly table: string;
  readonly seed: number;
  readonly method: string;
  readonly fvu: number;
  readonly crps: number;
  readonly coverage: number;
  /** Median relative error, of tables of logarithms. */
  readonly relative?: number;
  readonly seconds: number;
}

async function load(folder: string): Promise<Runs> {
  const path = `${folder}/schema.json`;
  const schema = existsSync(path) ? parseSchemaDraft(readFileSync(path, "utf8"), path) : undefined;
  const tables = { inputs: await readTable(`${folder}/inputs.csv`), outputs: await readTable(`${folder}/outputs.csv`) };
  return buildRuns(tables, schema === undefined ? {} : { schema });
}

async function ours(train: Runs, test: Runs, options: { effort: Effort; seed: number }): Promise<Answer> {
  const started = performance.now();
  const runner = workerPool();
  const { bytes } = await fitRuns(train, { ...options, runner });
  await runner.dispose();
  const seconds = (performance.now() - started) / 1000;
  const emulator = await loadEmulator(bytes);
  const fields = await emulator.predict(test.x);
  await emulator.dispose();
  return {
    fields: fields.map(({ std, noise, ...rest }) => ({ ...rest, std: std.map((s, i) => Math.hypot(s, noise[i]!)) })),
    seconds,
  };
}

interface PeerAnswer {
  readonly mean: number[][];
  readonly std: number[][];
  readonly seconds: number;
}

async function theirs(
  train: Runs,
  test: Runs,
  options: { peers: readonly PeerName[]; seed: number; restarts: number },
): Promise<ReadonlyMap<PeerName, Answer>> {
  const request = {
    ...options,
    levels: varyingInputs(train.schema).map((input) => (input.kind === "categorical" ? input.levels.length : 0)),
    x_train: rowsOf([train.x], train.n),
    y_train: rowsOf(train.y, train.n),
    x_test: rowsOf([test.x], test.n),
  };
  const script = fileURLToPath(new URL("peers.py", import.meta.url));
  const python = process.env["PYTHON"] ?? "python3";
  const child = spawn(python, [script], { stdio: ["pipe", "pipe", "inherit"] });
  child.stdin.end(JSON.stringify(request));
  const said = await text(child.stdout);
  if (said === "") throw new Error(`${python} ${script} failed: it needs PyTorch and scikit-learn (set PYTHON)`);
  const answers = JSON.parse(said) as Record<PeerName, PeerAnswer>;
  const sizes = train.schema.fields.map(fieldSize);
  return new Map(options.peers.map((name) => [name, toAnswer(answers[name], sizes)]));
}

/** Rows of matrices side by side. @param parts each n x its own width */
function rowsOf(parts: readonly Float64Array[], n: number): number[][] {
  return Array.from({ length: n }, (_, i) =>
    parts.flatMap((part) => Array.from(part.subarray((i * part.length) / n, ((i + 1) * part.length) / n))),
  );
}

/** A peer's rows cut into fields, with Gaussian intervals. */
function toAnswer({ mean, std, seconds }: PeerAnswer, sizes: readonly number[]): Answer {
  let start = 0;
  const fields = sizes.map((size) => {
    const cut = (rows: readonly number[][]): Float64Array =>
      Float64Array.from(rows.flatMap((row) => row.slice(start, start + size)));
    const centre = cut(mean);
    const spread = cut(std);
    start += size;
    const at = (z: number): Float64Array => centre.map((m, i) => m + z * spread[i]!);
    return { mean: centre, std: spread, lower: at(-1.96), upper: at(1.96) };
  });
  return { fields, seconds };
}

/** @param log10 whether the outputs are logarithms, whose relative error is told too */
function scoreOf(answer: Answer, test: Runs, log10: boolean): Omit<Score, "table" | "seed" | "method"> {
  const fvus: number[] = [];
  const relative: number[] = [];
  let [inside, count, crps] = [0, 0, 0];
  answer.fields.forEach(({ mean, std, lower, upper }, f) => {
    const truth = test.y[f]!;
    const size = fieldSize(test.schema.fields[f]!);
    fvus.push(...elementFvu(truth, mean, size));
    const scales = Array.from({ length: size }, (_, j) => deviation(truth.filter((__, i) => i % size === j)));
    truth.forEach((value, i) => {
      relative.push(Math.abs(10 ** (mean[i]! - value) - 1));
      if (lower[i]! <= value && value <= upper[i]!) inside++;
      crps += gaussianCrps(mean[i]! - value, std[i]!) / (scales[i % size]! || 1);
    });
    count += truth.length;
  });
  return {
    fvu: median(fvus),
    crps: crps / count,
    coverage: inside / count,
    ...(log10 ? { relative: median(relative) } : {}),
    seconds: answer.seconds,
  };
}

function deviation(values: Float64Array): number {
  const mean = values.reduce((a, b) => a + b, 0) / values.length;
  return Math.sqrt(values.reduce((a, b) => a + (b - mean) ** 2, 0) / values.length);
}

const percent = (value: number, digits = 1): string => `${(100 * value).toFixed(digits)} %`;

/** One cell: FVU, CRPS, relative error where it is known, coverage, seconds. */
function describe({ fvu, crps, relative, coverage, seconds }: Score): string {
  const error = relative === undefined ? [] : [`error ${percent(relative, 3)}`];
  return [fvu.toExponential(1), crps.toExponential(1), ...error, percent(coverage), `${seconds.toFixed(0)} s`].join(
    ", ",
  );
}

/** Medians over the splits against the best peer's, per table. */
function verdicts(scores: readonly Score[], tables: readonly string[]): string[] {
  const lines = tables.flatMap((table) => {
    const of = (method: string, what: "fvu" | "crps"): number =>
      median(scores.filter((s) => s.table === table && s.method === method).map((s) => s[what]));
    const peers = [...new Set(scores.filter((s) => s.table === table).map(({ method }) => method))];
    const others = peers.filter((method) => method !== own);
    if (others.length === 0 || others.length === peers.length) return [];
    const cells = (["fvu", "crps"] as const).map((what) => {
      const best = others.reduce((a, c) => (of(c, what) < of(a, what) ? c : a));
      const ratio = of(own, what) / of(best, what);
      return `${of(own, what).toExponential(1)} | ${of(best, what).toExponential(1)} (${best}) | ${ratio.toFixed(2)}`;
    });
    return [`| ${table} | ${cells.join(" | ")} |`];
  });
  if (lines.length === 0) return [];
  const head = "| table | FVU | best peer's | ratio | CRPS | best peer's | ratio |\n|---|---|---|---|---|---|---|";
  return ["", "Medians over the splits:", "", head, ...lines];
}

async function main(): Promise<void> {
  const { values: options } = parseArgs({
    options: {
      datasets: { type: "string", default: datasets.join(",") },
      data: { type: "string", default: fileURLToPath(new URL("../datasets/", import.meta.url)) },
      seeds: { type: "string", default: "1" },
      effort: { type: "string", default: "standard" },
      peers: { type: "string", default: "" },
      "gp-restarts": { type: "string", default: "0" },
      keep: { type: "string" },
    },
  });
  const effort = options.effort as Effort;
  const restarts = Number(options["gp-restarts"]);
  const peers = options.peers.split(",").filter((name) => name !== "") as PeerName[];
  const unknown = peers.find((name) => !(name in peerTitles));
  if (unknown !== undefined)
    throw new Error(`--peers: no peer "${unknown}" (there are: ${Object.keys(peerTitles).join(", ")})`);
  const tables = options.datasets.split(",");
  const { keep } = options;
  const scores: Score[] = [];
  if (keep !== undefined && existsSync(keep))
    for (const line of readFileSync(keep, "utf8").trim().split("\n")) scores.push(JSON.parse(line) as Score);
  const methods = [own, ...peers];
  const titles = ["Condense", ...peers.map((name) => peerTitles[name])];
  console.log("Each cell: FVU, CRPS, coverage of the 95 % intervals, time; for P(k) the median relative error too.\n");
  console.log(
    `| table | seed | runs | held out | ${titles.join(" | ")} |\n|---|---|---|---|${titles.map(() => "---|").join("")}`,
  );
  for (const table of tables)
    for (const seed of options.seeds.split(",").map(Number)) {
      const runs = await load(`${options.data}/${table}`);
      const rows = holdOut(runs, 0.2, makeRng(seed));
      const train = takeRuns(runs, rows.train);
      const test = takeRuns(runs, rows.test);
      const known = (method: string): Score | undefined =>
        scores.find((score) => score.table === table && score.seed === seed && score.method === method);
      const enter = (method: string, answer: Answer): void => {
        const score = { table, seed, method, ...scoreOf(answer, test, logarithmic.has(table)) };
        scores.push(score);
        if (keep !== undefined) appendFileSync(keep, `${JSON.stringify(score)}\n`);
      };
      if (known(own) === undefined) enter(own, await ours(train, test, { effort, seed }));
      const missing = peers.filter((name) => known(name) === undefined);
      if (missing.length > 0)
        for (const [name, answer] of await theirs(train, test, { peers: missing, seed, restarts })) enter(name, answer);
      const cells = methods.map((method) => describe(known(method)!));
      console.log(`| ${[table, seed, train.n, test.n, ...cells].join(" | ")} |`);
    }
  console.log(verdicts(scores, tables).join("\n"));
}

await main();
