/**
 * Benchmark: milliseconds per query of a fitted emulator by batch size, against the same networks in PyTorch (eager
 * modules, and the same traced and frozen), one thread each: from inputs in physical units to mean, standard deviation
 * and interval in physical units, host memory to host memory. Rounds alternate, so that all meet the same machine.
 *
 *     npx tsx bench/query-latency.ts [--emulator FILE.onnx] [--rounds 9] [--batches 1,1000,100000]
 *
 * Without a file, networks alone are fitted to datasets/fuel-performance, quick effort: 8 members, 13 inputs, 4 outputs. PyTorch
 * gets the architectures, not the weights, which do not matter here. It is asked of `python3`, or of the interpreter in
 * the environment variable PYTHON. Emulators of scalars only.
 */
import { type ChildProcessWithoutNullStreams, spawn, spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { loadavg } from "node:os";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { InferenceSession, Tensor } from "onnxruntime-node";
import { varyingInputs } from "../src/data/index.ts";
import { type Emulator, type EmulatorInfo, planHeads } from "../src/emulator/index.ts";
import { fit, loadEmulator, makeRng, parseSchemaDraft, workerPool } from "../src/index.ts";
import { chosen, superArchitecture } from "../src/space/index.ts";

/** Milliseconds of each of some queries in a row, all of `rows` rows. */
type Side = (rows: number, repeats: number) => Promise<readonly number[]>;

async function quickFit(): Promise<Uint8Array> {
  console.log("fitting datasets/fuel-performance with quick effort ...");
  const folder = fileURLToPath(new URL("../datasets/fuel-performance/", import.meta.url));
  const schema = parseSchemaDraft(readFileSync(`${folder}schema.json`, "utf8"), "schema.json");
  const tables = { inputs: `${folder}inputs.csv`, outputs: `${folder}outputs.csv` };
  const runner = workerPool(2);
  const { bytes } = await fit(tables, { schema, effort: "quick", process: false, runner });
  await runner.dispose();
  return bytes;
}

/** Rows within the ranges of the training runs, new ones for each query. */
function points({ schema }: EmulatorInfo, rows: number): Float64Array {
  const rng = makeRng(1);
  const inputs = varyingInputs(schema);
  return Float64Array.from({ length: rows * inputs.length }, (_, i) => {
    const { range, kind } = inputs[i % inputs.length]!;
    const value = range[0] + (range[1] - range[0]) * rng.uniform();
    return kind === "real" ? value : Math.round(value);
  });
}

/** `predict` of the library. */
function librarySide(emulator: Emulator): Side {
  return async (rows, repeats) => {
    const x = points(emulator.info, rows);
    return timed(repeats, () => emulator.predict(x));
  };
}

/** The file in a session of onnxruntime-node, with no Condense: what any other program gets. */
async function sessionSide(bytes: Uint8Array, info: EmulatorInfo): Promise<Side> {
  const session = await InferenceSession.create(bytes, { intraOpNumThreads: 1, interOpNumThreads: 1 });
  return async (rows, repeats) => {
    const x = new Tensor("float64", points(info, rows), [rows, varyingInputs(info.schema).length]);
    return timed(repeats, () => session.run({ x }));
  };
}

async function timed(repeats: number, query: () => Promise<unknown>): Promise<number[]> {
  const times: number[] = [];
  for (let i = 0; i < repeats; i++) {
    const started = performance.now();
    await query();
    times.push(performance.now() - started);
  }
  return times;
}

interface Torch {
  readonly version: string;
  readonly side: (mode: "eager" | "traced") => Side;
  readonly stop: () => void;
}

/** Keeps one Python process that queries on request. Undefined if there is no PyTorch. */
async function startTorch(info: EmulatorInfo): Promise<Torch | undefined> {
  const python = process.env["PYTHON"] ?? "python3";
  if (spawnSync(python, ["-c", "import torch"], { stdio: "ignore" }).status !== 0) return undefined;
  const script = fileURLToPath(new URL("pytorch/query_latency.py", import.meta.url));
  const env = { ...process.env, OMP_NUM_THREADS: "1", MKL_NUM_THREADS: "1" };
  const child: ChildProcessWithoutNullStreams = spawn(python, [script], { env });
  child.stderr.pipe(process.stderr);
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const ask = async (request: unknown): Promise<unknown> => {
    child.stdin.write(`${JSON.stringify(request)}\n`);
    const line = await lines.next();
    if (line.done === true) throw new Error(`${python} ${script} ended early`);
    return JSON.parse(line.value);
  };
  const { version } = (await ask(describeNetworks(info))) as { version: string };
  return {
    version,
    side: (mode) => async (rows, repeats) => (await ask({ mode, rows, repeats })) as number[],
    stop: () => child.stdin.end(),
  };
}

/** What the other side needs to build the same networks. */
function describeNetworks(info: EmulatorInfo): unknown {
  const { inputs, heads } = planHeads(info.schema);
  if (heads.some(({ kind }) => kind !== "vector"))
    throw new Error("this benchmark compares emulators of scalars: pass one without signals and images");
  const space = superArchitecture({ inputs, heads });
  const members = info.members.map((member) => {
    const architecture = member.architecture.split(".").map(Number);
    const edges = space.slots.flatMap(({ from, to }, slot) =>
      to < 0 ? [] : [{ from, to, op: chosen(space, architecture, slot).name }],
    );
    return { width: Number(chosen(space, architecture, 0).name), edges: edges.filter(({ op }) => op !== "zero") };
  });
  return { inputs, outputs: info.schema.fields.length, nodes: space.trunkNodes, members };
}

/** The value that a share of `values` does not exceed. */
function quantile(values: readonly number[], share: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] ?? NaN;
}

const show = (ms: number): string => (ms < 10 ? ms.toPrecision(3) : ms.toFixed(ms < 100 ? 1 : 0));

async function main(): Promise<void> {
  const { values: options } = parseArgs({
    options: {
      emulator: { type: "string" },
      rounds: { type: "string", default: "9" },
      batches: { type: "string", default: "1,1000,100000" },
    },
  });
  const bytes = options.emulator === undefined ? await quickFit() : new Uint8Array(readFileSync(options.emulator));
  const emulator = await loadEmulator(bytes, { threads: 1 });
  const { info } = emulator;
  const torch = await startTorch(info);
  const sides: Record<string, Side> = {
    Condense: librarySide(emulator),
    "its file in ONNX Runtime": await sessionSide(bytes, info),
    ...(torch && { "PyTorch, eager": torch.side("eager"), "PyTorch, traced": torch.side("traced") }),
  };
  const macs = info.members.reduce((sum, member) => sum + member.macs, 0);
  console.log(
    `${info.members.length} members, ${varyingInputs(info.schema).length} inputs, ${info.schema.fields.length} outputs, ` +
      `${macs} multiply-accumulates a row; ${torch?.version ?? "no PyTorch in python3 (set PYTHON)"}; ` +
      `load average ${loadavg()[0]!.toFixed(1)}`,
  );
  console.log("milliseconds per query: median (95th percentile); ratio of medians to Condense, median over rounds\n");
  const names = Object.keys(sides);
  console.log(`| rows | ${names.join(" | ")} |\n|---|${names.map(() => "---|").join("")}`);
  for (const rows of options.batches.split(",").map(Number)) {
    const repeats = Math.max(1, Math.min(200, Math.round(20_000 / rows)));
    const times = Object.fromEntries(names.map((name) => [name, [] as number[][]]));
    for (let round = 0; round <= Number(options.rounds); round++)
      for (const [name, side] of Object.entries(sides)) {
        const measured = await side(rows, repeats);
        if (round > 0) times[name]!.push([...measured]); // the first round warms up
      }
    const cells = Object.entries(times).map(([name, rounds]) => {
      const middle = (round: readonly number[]): number => quantile(round, 0.5);
      const ratio = quantile(
        rounds.map((round, i) => middle(round) / middle(times["Condense"]![i]!)),
        0.5,
      );
      const all = rounds.flat();
      const beside = name === "Condense" ? "" : `, x ${ratio.toFixed(2)}`;
      return `${show(quantile(all, 0.5))} (${show(quantile(all, 0.95))})${beside}`;
    });
    console.log(`| ${rows} | ${cells.join(" | ")} |`);
  }
  torch?.stop();
  await emulator.dispose();
}

await main();
