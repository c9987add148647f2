/**
 * Benchmark (a): milliseconds per training step, ours against PyTorch in eager mode, one thread each: forward pass,
 * backward pass and Adam. Rounds alternate, so that both meet the same machine.
 *
 *     npx tsx bench/training-step.ts [--engine onnxruntime] [--rounds 9] [--only mlp|members|decoder]
 *
 * PyTorch is asked of `python3`, or of the interpreter in the environment variable PYTHON.
 */
import { type ChildProcessWithoutNullStreams, spawn, spawnSync } from "node:child_process";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { type Executable, getEngine } from "../src/engine/index.ts";
import { type Graph, type GraphBuilder, type NodeId, differentiate, graphBuilder, sizeOf } from "../src/graph/index.ts";

const BATCH = 32;
const INPUTS = 5;
const BATCHES = 16;
/** Few enough for both sides to have the same loss to four digits after them. */
const WARM_UP_STEPS = 40;
const ADAM = { rate: 1e-3, beta1: 0.9, beta2: 0.999, epsilon: 1e-8 };

interface Weight {
  readonly shape: readonly number[];
  readonly fanIn: number;
}

interface Case {
  readonly title: string;
  readonly members: number;
  /** Shape of a target of one member, without the batch. */
  readonly target: readonly number[];
  /** Steps per round. */
  readonly steps: number;
  /** Shapes for one member, in PyTorch's order, matrices as inputs × outputs. Members are an axis in front. */
  readonly weights: readonly Weight[];
  readonly forward: (b: GraphBuilder, x: NodeId, weights: readonly NodeId[]) => NodeId;
}

const dense = (from: number, to: number): Weight[] => [
  { shape: [from, to], fanIn: from },
  { shape: [1, to], fanIn: 0 },
];
const conv = (from: number, to: number, size: number): Weight[] => [
  { shape: [to, from, size], fanIn: from * size },
  { shape: [to, 1], fanIn: 0 },
];

const mlpWeights = [...dense(INPUTS, 64), ...dense(64, 64), ...dense(64, 64), ...dense(64, 1)];

function mlp(b: GraphBuilder, x: NodeId, weights: readonly NodeId[]): NodeId {
  let h = x;
  for (let i = 0; i < weights.length; i += 2) {
    h = b.sum(b.matMul(h, weights[i]!), weights[i + 1]!);
    if (i + 2 < weights.length) h = b.unary("Relu", h);
  }
  return h;
}

function decoder(b: GraphBuilder, x: NodeId, weights: readonly NodeId[]): NodeId {
  const stem = b.sum(b.matMul(x, weights[0]!), weights[1]!);
  const column = b.reshape(stem, [BATCH, 32, 32, 1]);
  let h = b.reshape(b.concat(new Array<NodeId>(8).fill(column), 3), [BATCH, 32, 256]);
  for (let i = 2; i < weights.length - 2; i += 2)
    h = b.unary("Relu", b.sum(b.conv(h, weights[i]!, { pads: [1, 1] }), weights[i + 1]!));
  return b.sum(b.conv(h, weights.at(-2)!, { pads: [0, 0] }), weights.at(-1)!);
}

const cases: Readonly<Record<string, Case>> = {
  mlp: { title: "MLP 5-64-64-64-1", members: 1, target: [1], steps: 400, weights: mlpWeights, forward: mlp },
  members: { title: "the same, 8 members", members: 8, target: [1], steps: 100, weights: mlpWeights, forward: mlp },
  decoder: {
    title: "1-D conv decoder, 8 x 32 channels x 256",
    members: 1,
    target: [1, 256],
    steps: 20,
    weights: [...dense(INPUTS, 32 * 32), ...Array.from({ length: 8 }, () => conv(32, 32, 3)).flat(), ...conv(32, 1, 1)],
    forward: decoder,
  },
};

/** One training step: parameters and Adam's two moments are one flat vector each. The moments are kept divided by
 * 1 - beta, which saves two passes over them; `rate` and `epsilon` hold all factors that change with the step. */
function stepGraph({ members, target, weights, forward }: Case): Graph {
  const b = graphBuilder();
  const lead = members > 1 ? [members] : [];
  const x = b.input("x", [...lead, BATCH, INPUTS]);
  const y = b.input("y", [...lead, BATCH, ...target]);
  const rate = b.input("rate", []);
  const epsilon = b.input("epsilon", []);
  const shapes = weights.map(({ shape }) => [...lead, ...shape]);
  const size = shapes.reduce((sum, shape) => sum + sizeOf(shape), 0);
  const [p, m, v] = ["p", "m", "v"].map((name) => b.input(name, [size])) as [NodeId, NodeId, NodeId];
  let start = 0;
  const parts = shapes.map((shape) => {
    const part = b.slice(p, 0, start, start + sizeOf(shape));
    start += sizeOf(shape);
    return b.reshape(part, shape);
  });
  const miss = b.sub(forward(b, x, parts), y);
  const axes = b.shapeOf(miss).map((_, i) => i);
  const loss = b.scale(b.reduceSum(b.square(miss), axes), members / sizeOf(b.shapeOf(miss)));
  const gradients = differentiate(b, loss, parts).map((g) => b.reshape(g, [sizeOf(b.shapeOf(g))]));
  const g = b.concat(gradients, 0);
  const mNext = b.sum(b.scale(m, ADAM.beta1), g);
  const vNext = b.sum(b.scale(v, ADAM.beta2), b.square(g));
  const pNext = b.sub(p, b.div(b.mul(mNext, rate), b.sum(b.unary("Sqrt", vNext), epsilon)));
  return b.build({ loss, p: pNext, m: mNext, v: vNext });
}

/** Adam's bias corrections (Kingma & Ba 2015, end of §2), with the moments' scale of {@link stepGraph} taken in. */
function adamScalars(step: number): { readonly rate: number; readonly epsilon: number } {
  const { rate, beta1, beta2, epsilon } = ADAM;
  const root = Math.sqrt((1 - beta2 ** (step + 1)) / (1 - beta2));
  return { rate: (rate * root * (1 - beta1)) / (1 - beta1 ** (step + 1)), epsilon: epsilon * root };
}

/** The numbers that the PyTorch side makes too: uniform on [-1, 1], from a plain formula. */
function wave(count: number, seed: number): Float64Array {
  return Float64Array.from({ length: count }, (_, i) => {
    const y = Math.sin((i + 1) * 12.9898 + seed * 78.233) * 43758.5453;
    return 2 * (y - Math.floor(y)) - 1;
  });
}

function firstWeights({ members, weights }: Case): Float32Array {
  let matrix = 0;
  const blocks = weights.map(({ shape, fanIn }) => {
    const size = sizeOf(shape);
    if (fanIn === 0) return new Float32Array(members * size);
    const index = matrix++;
    return Float32Array.from({ length: members }, (_, member) => member).reduce(
      (block, member) => {
        block.set(
          wave(size, 1000 * member + index).map((value) => value / Math.sqrt(fanIn)),
          member * size,
        );
        return block;
      },
      new Float32Array(members * size),
    );
  });
  const flat = new Float32Array(blocks.reduce((sum, block) => sum + block.length, 0));
  let at = 0;
  for (const block of blocks) {
    flat.set(block, at);
    at += block.length;
  }
  return flat;
}

interface Result {
  readonly ms: number;
  readonly loss: number;
}
type Trainer = (steps: number) => Promise<Result>;

function ourTrainer(which: Case, executable: Executable): Trainer {
  const rows = which.members * BATCH;
  const batches = Array.from({ length: BATCHES }, (_, k) => ({
    x: Float32Array.from(wave(rows * INPUTS, 7 + 2 * k)),
    y: Float32Array.from(wave(rows * sizeOf(which.target), 8 + 2 * k)),
  }));
  let p = firstWeights(which);
  let m = new Float32Array(p.length);
  let v = new Float32Array(p.length);
  const x = new Float32Array(batches[0]!.x);
  const y = new Float32Array(batches[0]!.y);
  const rate = new Float32Array(1);
  const epsilon = new Float32Array(1);
  let done = 0;
  const perStep = (): void => {
    const batch = batches[done % BATCHES]!;
    x.set(batch.x);
    y.set(batch.y);
    const scalars = adamScalars(done++);
    rate[0] = scalars.rate;
    epsilon[0] = scalars.epsilon;
  };
  return async (steps) => {
    const start = performance.now();
    const results = await executable.loop({
      feeds: { x, y, rate, epsilon, p, m, v },
      carry: { p: "p", m: "m", v: "v" },
      steps,
      perStep,
    });
    const ms = (performance.now() - start) / steps;
    ({ p, m, v } = results as { p: typeof p; m: typeof m; v: typeof v });
    return { ms, loss: Number(results["loss"]![0]) };
  };
}

interface Torch {
  readonly version: string;
  readonly trainer: (name: string) => Trainer;
  readonly stop: () => void;
}

/** Keeps one Python process that trains on request. Undefined if there is no PyTorch. */
async function startTorch(): Promise<Torch | undefined> {
  const python = process.env["PYTHON"] ?? "python3";
  if (spawnSync(python, ["-c", "import torch"], { stdio: "ignore" }).status !== 0) return undefined;
  const script = fileURLToPath(new URL("pytorch/training_step.py", import.meta.url));
  const env = { ...process.env, OMP_NUM_THREADS: "1", MKL_NUM_THREADS: "1" };
  const child: ChildProcessWithoutNullStreams = spawn(python, [script], { env });
  child.stderr.pipe(process.stderr);
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const answer = async (): Promise<unknown> => {
    const line = await lines.next();
    if (line.done === true) throw new Error(`${python} ${script} ended early`);
    return JSON.parse(line.value);
  };
  const { version } = (await answer()) as { version: string };
  return {
    version,
    trainer: (name) => async (steps) => {
      child.stdin.write(`${JSON.stringify({ case: name, steps })}\n`);
      return (await answer()) as Result;
    },
    stop: () => child.stdin.end(),
  };
}

function median(values: readonly number[]): number {
  return [...values].sort((a, b) => a - b)[values.length >> 1] ?? NaN;
}

async function main(): Promise<void> {
  const { values: options } = parseArgs({
    options: {
      engine: { type: "string", default: "onnxruntime" },
      rounds: { type: "string", default: "9" },
      only: { type: "string" },
    },
  });
  const engine = getEngine(options.engine);
  const torch = await startTorch();
  console.log(`ours: ${await engine.describe()}`);
  console.log(`theirs: ${torch?.version ?? "no PyTorch in python3 (set PYTHON), so only ours is measured"}`);
  console.log(
    `medians in ms per step, one thread each; loss of both after ${WARM_UP_STEPS} steps from the same weights\n`,
  );
  for (const [name, which] of Object.entries(cases)) {
    if (options.only !== undefined && options.only !== name) continue;
    const executable = await engine.compile(stepGraph(which));
    const sides = { ours: ourTrainer(which, executable), torch: torch?.trainer(name) };
    const times = { ours: [] as number[], torch: [] as number[] };
    const losses = { ours: NaN, torch: NaN };
    for (let round = 0; round <= Number(options.rounds); round++) {
      for (const side of ["ours", "torch"] as const) {
        const result = await sides[side]?.(round === 0 ? WARM_UP_STEPS : which.steps);
        if (result === undefined) continue;
        if (round === 0) losses[side] = result.loss;
        else times[side].push(result.ms);
      }
    }
    const ours = median(times.ours);
    const theirs = median(times.torch);
    const compared = torch ? `  torch ${theirs.toFixed(3)}  ratio ${(theirs / ours).toFixed(2)}` : "";
    const check = `loss ${losses.ours.toPrecision(4)}${torch ? ` / ${losses.torch.toPrecision(4)}` : ""}`;
    console.log(`${which.title.padEnd(42)} ours ${ours.toFixed(3)}${compared}  ${check}`);
    await executable.dispose();
  }
  torch?.stop();
}

await main();
