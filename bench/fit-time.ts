/**
 * Benchmark: wall time, processor time and peak memory of `fit` by number of runs, and the error it reaches. The simulator
 * is the borehole function of eight inputs (Morris, Mitchell & Ylvisaker 1993) with two more that do nothing. Each fit has
 * a process of its own, so that peaks are its own; points are drawn uniformly.
 *
 *     npx tsx bench/fit-time.ts [--quick] [--runs 100,300,1000,3000,10000] [--effort standard] [--threads 2]
 *
 * --quick is 100 and 1000 runs.
 */
import { spawnSync } from "node:child_process";
import { availableParallelism, loadavg } from "node:os";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { elementFvu } from "../src/analysis/index.ts";
import {
  buildRuns,
  type Effort,
  fitRuns,
  loadEmulator,
  makeRng,
  type Rng,
  type Runs,
  tableFrom,
  workerPool,
} from "../src/index.ts";

const inputs = {
  rw: [0.05, 0.15],
  r: [100, 50_000],
  tu: [63_070, 115_600],
  hu: [990, 1110],
  tl: [63.1, 116],
  hl: [700, 820],
  l: [1120, 1680],
  kw: [9855, 12_045],
  idle1: [0, 1],
  idle2: [0, 1],
} as const;
type Point = Record<keyof typeof inputs, number>;

/** Water flow through a borehole [m3/yr]. */
function borehole({ rw, r, tu, hu, tl, hl, l, kw }: Point): number {
  const log = Math.log(r / rw);
  return (2 * Math.PI * tu * (hu - hl)) / (log * (1 + (2 * l * tu) / (log * rw * rw * kw) + tu / tl));
}

function simulate(n: number, rng: Rng): Runs {
  const draw = ([name, [low, high]]: [string, readonly [number, number]]): [string, number] => [
    name,
    low + (high - low) * rng.uniform(),
  ];
  const rows = Array.from({ length: n }, () => {
    const point = Object.fromEntries(Object.entries(inputs).map(draw)) as Point;
    return { ...point, flow: borehole(point) };
  });
  return buildRuns(tableFrom(rows), { outputs: ["flow"] });
}

interface Measured {
  readonly wallSeconds: number;
  /** Of all threads. */
  readonly processorSeconds: number;
  readonly peakMegabytes: number;
  /** On 2000 new runs. */
  readonly fvu: number;
}

/** Fits in this process. */
async function measure(n: number, effort: Effort, threads: number): Promise<Measured> {
  const runs = simulate(n, makeRng(1));
  const before = process.resourceUsage();
  const started = performance.now();
  const runner = workerPool(threads);
  const { bytes } = await fitRuns(runs, { effort, seed: 1, runner });
  await runner.dispose();
  const wallSeconds = (performance.now() - started) / 1000;
  const after = process.resourceUsage();
  const processorMicros = after.userCPUTime + after.systemCPUTime - before.userCPUTime - before.systemCPUTime;
  const test = simulate(2000, makeRng(2));
  const emulator = await loadEmulator(bytes);
  const [prediction] = await emulator.predict(test.x);
  await emulator.dispose();
  return {
    wallSeconds,
    processorSeconds: processorMicros / 1e6,
    peakMegabytes: after.maxRSS / 1024,
    fvu: elementFvu(test.y[0]!, prediction!.mean, 1)[0]!,
  };
}

/** Fits in a process of its own. Undefined if that failed; it has said why on stderr. */
function measureApart(n: number, effort: string, threads: string): Measured | undefined {
  const script = fileURLToPath(import.meta.url);
  const args = [...process.execArgv, script, "--child", "--runs", String(n), "--effort", effort, "--threads", threads];
  const { status, stdout } = spawnSync(process.execPath, args, {
    encoding: "utf8",
    stdio: ["ignore", "pipe", "inherit"],
  });
  return status === 0 ? (JSON.parse(stdout) as Measured) : undefined;
}

async function main(): Promise<void> {
  const { values: options } = parseArgs({
    options: {
      quick: { type: "boolean", default: false },
      runs: { type: "string" },
      effort: { type: "string", default: "standard" },
      threads: { type: "string", default: String(availableParallelism()) },
      child: { type: "boolean", default: false },
    },
  });
  const { effort, threads } = options;
  const sizes = options.runs ?? (options.quick ? "100,1000" : "100,300,1000,3000,10000");
  if (options.child) {
    console.log(JSON.stringify(await measure(Number(sizes), effort as Effort, Number(threads))));
    return;
  }
  console.log(`${effort} effort, ${threads} threads; load average at the start ${loadavg()[0]!.toFixed(1)}\n`);
  console.log("| runs | wall s | processor s | peak MB | FVU on 2000 new runs |\n|---|---|---|---|---|");
  for (const n of sizes.split(",").map(Number)) {
    const measured = measureApart(n, effort, threads);
    const cells = measured && [
      measured.wallSeconds.toFixed(1),
      measured.processorSeconds.toFixed(1),
      measured.peakMegabytes.toFixed(0),
      measured.fvu.toExponential(1),
    ];
    console.log(`| ${[n, ...(cells ?? ["failed", "", "", ""])].join(" | ")} |`);
  }
}

await main();
