/**
 * Benchmark: accuracy and coverage with default settings on the tables in datasets/: a fifth of the runs is held out, the
 * emulator is fitted to the rest. Beside it, if asked, a Gaussian process and an ensemble of MLPs (bench/peers.py) on the
 * same rows, scored by the same code.
 *
 *     npx tsx bench/accuracy.ts [--datasets a,b] [--seeds 1,2] [--effort standard] [--peers] [--gp-restarts 0]
 *
 * FVU is the median over the outputs, coverage that of the 95 % intervals over all held-out numbers. Peers need PyTorch
 * and scikit-learn in `python3`, or in the interpreter in the environment variable PYTHON.
 */
import { spawn } from "node:child_process";
import { readFileSync } from "node:fs";
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

const peerTitles = { gp: "Gaussian process", mlp: "5 MLPs, Adam" } as const;
type PeerName = keyof typeof peerTitles;

/** Predictions per field, n x size. */
interface Answer {
  readonly fields: readonly {
    readonly mean: Float64Array;
    readonly lower: Float64Array;
    readonly upper: Float64Array;
  }[];
  readonly seconds: number;
}

async function load(name: string): Promise<Runs> {
  const folder = fileURLToPath(new URL(`../datasets/${name}/`, import.meta.url));
  const schema = parseSchemaDraft(readFileSync(`${folder}schema.json`, "utf8"), `${folder}schema.json`);
  const tables = { inputs: await readTable(`${folder}inputs.csv`), outputs: await readTable(`${folder}outputs.csv`) };
  return buildRuns(tables, { schema });
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
  return { fields, seconds };
}

interface PeerAnswer {
  readonly mean: number[][];
  readonly std: number[][];
  readonly seconds: number;
}

async function theirs(
  train: Runs,
  test: Runs,
  options: { seed: number; restarts: number },
): Promise<Readonly<Record<PeerName, Answer>>> {
  const request = {
    ...options,
    peers: Object.keys(peerTitles),
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
  return { gp: toAnswer(answers.gp, sizes), mlp: toAnswer(answers.mlp, sizes) };
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
    const half = cut(std).map((value) => 1.96 * value);
    start += size;
    return { mean: centre, lower: centre.map((m, i) => m - half[i]!), upper: centre.map((m, i) => m + half[i]!) };
  });
  return { fields, seconds };
}

/** One cell: FVU, relative error where `log10`, coverage, seconds. */
function describe(answer: Answer, test: Runs, log10: boolean): string {
  const fvus: number[] = [];
  const relative: number[] = [];
  let inside = 0;
  let count = 0;
  answer.fields.forEach(({ mean, lower, upper }, f) => {
    const truth = test.y[f]!;
    fvus.push(...elementFvu(truth, mean, fieldSize(test.schema.fields[f]!)));
    truth.forEach((value, i) => {
      relative.push(Math.abs(10 ** (mean[i]! - value) - 1));
      if (lower[i]! <= value && value <= upper[i]!) inside++;
    });
    count += truth.length;
  });
  const error = log10 ? [`error ${(100 * median(relative)).toFixed(3)} %`] : [];
  const told = [
    median(fvus).toExponential(1),
    ...error,
    `${((100 * inside) / count).toFixed(1)} %`,
    `${answer.seconds.toFixed(0)} s`,
  ];
  return told.join(", ");
}

async function main(): Promise<void> {
  const { values: options } = parseArgs({
    options: {
      datasets: { type: "string", default: datasets.join(",") },
      seeds: { type: "string", default: "1" },
      effort: { type: "string", default: "standard" },
      peers: { type: "boolean", default: false },
      "gp-restarts": { type: "string", default: "0" },
    },
  });
  const effort = options.effort as Effort;
  const restarts = Number(options["gp-restarts"]);
  const titles = ["Condense", ...(options.peers ? Object.values(peerTitles) : [])];
  console.log("Each cell: FVU, coverage of the 95 % intervals, time; for P(k) the median relative error too.\n");
  console.log(
    `| table | seed | runs | held out | ${titles.join(" | ")} |\n|---|---|---|---|${titles.map(() => "---|").join("")}`,
  );
  for (const name of options.datasets.split(","))
    for (const seed of options.seeds.split(",").map(Number)) {
      const runs = await load(name);
      const rows = holdOut(runs, 0.2, makeRng(seed));
      const train = takeRuns(runs, rows.train);
      const test = takeRuns(runs, rows.test);
      const answers = [await ours(train, test, { effort, seed })];
      if (options.peers) answers.push(...Object.values(await theirs(train, test, { seed, restarts })));
      const cells = answers.map((answer) => describe(answer, test, logarithmic.has(name)));
      console.log(`| ${[name, seed, train.n, test.n, ...cells].join(" | ")} |`);
    }
}

await main();
