/**
 * Benchmark (b): does the search pay? On two toy simulators, a signal and an image, the network that DENSE chooses
 * against the median of random architectures and against a plain convolutional decoder: same runs, same
 * super-architecture, same final training code and the same multiply-accumulates of final training, so that a cheaper
 * network gets more steps. What the search spends comes on top and is stated. Each seed has runs, random
 * architectures and first weights of its own; within a seed they are the same for all.
 *
 *     npx tsx bench/search-pays.ts [--quick] [--case oscillator|blobs] [--seeds 3] [--first-seed 1] [--randoms 6]
 *         [--jobs 2]
 */
import { parseArgs } from "node:util";
import { getEngine } from "../src/engine/index.ts";
import { makeRng, type Rng } from "../src/rng.ts";
import { getStrategy, search, type SearchResult } from "../src/search/index.ts";
import {
  type Architecture,
  compact,
  describeArchitecture,
  drawArchitecture,
  encode,
  macs,
  plainArchitecture,
  randomArchitecture,
  superArchitecture,
  type SuperArchitecture,
  type SuperArchitectureOptions,
  supernet,
} from "../src/space/index.ts";
import { inProcess, type TaskRunner, workerPool } from "../src/tasks/index.ts";
import {
  adamAlone,
  fieldRate,
  memberTask,
  predictGraph,
  runTrial,
  supernetTrainer,
  type TrainingData,
} from "../src/train/index.ts";
import { blobs, oscillator, simulate, type Toy } from "./toys.ts";

interface Case {
  readonly toy: Toy;
  readonly train: number;
  readonly test: number;
  readonly seeds: number;
  readonly randoms: number;
  readonly space: Pick<SuperArchitectureOptions, "channels" | "minChannels" | "stageNodes">;
  /** Epochs of the search, and steps of final training, for an architecture of typical cost. */
  readonly searchEpochs: number;
  readonly finalSteps: number;
  /** Architectures that the search trains by themselves, for that share of the final training each. */
  readonly trials: number;
  readonly trialShare: number;
}

/** Share of the final training that the best few of them are trained for again. */
const heatShare = 1 / 2;

const test = 100;
const cases = {
  oscillator: {
    toy: oscillator,
    train: 250,
    test,
    seeds: 3,
    randoms: 5,
    space: { channels: 8 },
    searchEpochs: 150,
    finalSteps: 1500,
    trials: 160,
    trialShare: 1 / 8,
  },
  blobs: {
    toy: blobs,
    train: 200,
    test,
    seeds: 2,
    randoms: 5,
    space: { channels: 8, minChannels: 4, stageNodes: 2 },
    searchEpochs: 60,
    finalSteps: 1200,
    trials: 40,
    trialShare: 1 / 8,
  },
} as const satisfies Record<string, Case>;

const batch = 16;
/** The spec's stem (2.1), one hidden layer, so that the comparison is among convolutions alone. */
const stem = { widths: [64], trunkNodes: 1, denseMenu: [{ kind: "dense", name: "silu", activation: "silu" }] } as const;
/** Trainings of each network, from other first weights: one alone is worth plus or minus a quarter. */
const starts = 2;
/** Draws of the emulator as DENSE published it. */
const draws = 32;
const members = 5;
/** Share of the training runs that the search validates on. */
const validationShare = 0.25;

interface Scores {
  readonly huber: number;
  /** Root mean square error over the range of the test outputs. */
  readonly nrmse: number;
  /** Squared error over the squared deviation from the mean of each element. */
  readonly fvu: number;
}

/** One row of the table, for one seed. */
interface Outcome {
  readonly who: string;
  readonly scores: Scores;
  /** Multiply-accumulates of one forward row, of the search and of the final training. */
  readonly macs: number;
  readonly searchMacs: number;
  readonly trainMacs: number;
  readonly seconds: number;
}

interface Problem {
  readonly options: SuperArchitectureOptions;
  readonly space: SuperArchitecture;
  readonly data: TrainingData;
  readonly test: TrainingData;
  /** Mean cost of a random architecture. */
  readonly typical: number;
  readonly runner: TaskRunner;
  readonly which: Case;
}

function makeProblem(which: Case, rng: Rng, runner: TaskRunner): Problem {
  const { toy, train } = which;
  const stream = rng.fork("runs");
  const runs = simulate(toy, train, () => stream.uniform());
  const unseen = simulate(toy, which.test, () => stream.uniform());
  const mean = runs.y.reduce((a, c) => a + c, 0) / runs.y.length;
  const std = Math.sqrt(runs.y.reduce((a, c) => a + (c - mean) ** 2, 0) / runs.y.length);
  const scaled = (rows: number, { x, y }: typeof runs): TrainingData => ({
    rows,
    inputs: toy.inputs.length,
    x,
    targets: [Float32Array.from(y, (value) => (value - mean) / std)],
  });
  const options: SuperArchitectureOptions = {
    ...which.space,
    ...stem,
    inputs: toy.inputs.length,
    decoderMenu: [{ kind: "decoder", name: "convolutional" }],
    heads: [{ kind: "decoder", name: "field", channels: 1, spatial: toy.spatial }],
  };
  const space = superArchitecture(options);
  const costs = Array.from({ length: 64 }, (_, i) => macs(space, randomArchitecture(space, rng.fork(`typical ${i}`))));
  const typical = costs.reduce((a, c) => a + c, 0) / costs.length;
  return { options, space, data: scaled(train, runs), test: scaled(which.test, unseen), typical, runner, which };
}

function score(predicted: Float32Array, truth: TrainingData): Scores {
  const target = truth.targets[0]!;
  const size = target.length / truth.rows;
  let huber = 0;
  let squares = 0;
  let deviation = 0;
  let low = Number.POSITIVE_INFINITY;
  let high = Number.NEGATIVE_INFINITY;
  for (let k = 0; k < size; k++) {
    let mean = 0;
    for (let row = 0; row < truth.rows; row++) mean += target[row * size + k]! / truth.rows;
    for (let i = k; i < target.length; i += size) {
      const miss = Math.abs(target[i]! - predicted[i]!);
      huber += miss <= 1 ? (miss * miss) / 2 : miss - 0.5;
      squares += miss * miss;
      deviation += (target[i]! - mean) ** 2;
      low = Math.min(low, target[i]!);
      high = Math.max(high, target[i]!);
    }
  }
  const count = target.length;
  return { huber: huber / count, nrmse: Math.sqrt(squares / count) / (high - low), fvu: squares / deviation };
}

/** Trains from scratch with that many multiply-accumulates and predicts the test rows. */
async function finalTrain(
  problem: Problem,
  architecture: Architecture,
  budget: number,
  seed: number,
): Promise<{ readonly predicted: Float32Array; readonly spent: number }> {
  const { options, space, data, runner, test: truth } = problem;
  const cost = 3 * macs(space, architecture) * batch;
  const adamSteps = Math.max(1, Math.floor(budget / cost));
  const { stages } = await runner.run(memberTask, {
    space: options,
    architecture,
    data,
    fitRows: Int32Array.from({ length: data.rows }, (_, i) => i),
    heldOutRows: new Int32Array(0),
    recipe: adamAlone({ loss: "huber", batch, adamSteps, learningRate: fieldRate }),
    seed,
    engine: "onnxruntime",
  });
  const weights = stages[0]?.weights ?? new Float32Array(0);
  const predictor = await getEngine("onnxruntime").compile(predictGraph(compact(space, architecture)));
  const { head0 } = await predictor.run({ x: truth.x, params: weights }, { rows: truth.rows });
  const predicted = Float32Array.from(head0 as Float32Array);
  await predictor.dispose();
  return { predicted, spent: adamSteps * cost };
}

async function runSearch(problem: Problem, strategy: string, rng: Rng): Promise<SearchResult> {
  const { space, data, typical, which } = problem;
  const held = Math.round(validationShare * data.rows);
  const trainRows = Int32Array.from({ length: data.rows - held }, (_, i) => held + i);
  const validationRows = Int32Array.from({ length: held }, (_, i) => i);
  const work = which.trialShare * which.finalSteps * 3 * typical * batch;
  const trainer = await supernetTrainer({
    engine: getEngine("onnxruntime"),
    network: supernet(space),
    data,
    trainRows,
    validationRows,
    batch,
    loss: "huber",
    rng: rng.fork("supernet"),
  });
  const result = await search({
    strategy: getStrategy(strategy),
    trainer,
    space,
    budget: which.searchEpochs * 3 * typical * (data.rows - held),
    members,
    rng: rng.fork("search"),
    workExponent: 1,
    trials: {
      count: which.trials,
      macs: work,
      heatTimes: heatShare / which.trialShare,
      run: (architecture, times) =>
        runTrial(
          {
            space: problem.options,
            data,
            trainRows,
            validationRows,
            work: times * work,
            loss: "huber",
            seed: rng.fork("trials").seed,
            engine: "onnxruntime",
            runner: problem.runner,
          },
          architecture,
        ),
    },
    onStep: ({ steps, history, tried }, fraction) => {
      if (tried.length > 0) {
        const best = Math.min(...tried.map(({ loss }) => loss));
        note(`  ${tried.length} trials, ${(100 * fraction).toFixed(0)} %, best ${best.toPrecision(3)}`);
        return;
      }
      const losses = history.flatMap(({ valLoss }) => valLoss ?? []).slice(-8);
      const mean = losses.reduce((a, c) => a + c, 0) / losses.length;
      if (steps % 10 === 0)
        note(`  ${strategy} step ${steps}, ${(100 * fraction).toFixed(0)} %, loss ${mean.toPrecision(3)}`);
    },
  });
  await trainer.dispose();
  return result;
}

function note(line: string): void {
  process.stderr.write(`${line}\n`);
}

async function runSeed(problem: Problem, rng: Rng): Promise<Outcome[]> {
  const { which, space, typical, test: truth } = problem;
  const budget = which.finalSteps * 3 * typical * batch;
  const since = (start: number): number => (performance.now() - start) / 1000;
  const one = async (who: string, architecture: Architecture, searched = { macs: 0, seconds: 0 }): Promise<Outcome> => {
    const start = performance.now();
    const trained = await Promise.all(
      Array.from({ length: starts }, (_, i) =>
        finalTrain(problem, architecture, budget, rng.fork(`weights ${i}`).seed),
      ),
    );
    const spent = trained[0]!.spent;
    const each = trained.map(({ predicted }) => score(predicted, truth));
    const mean = (get: (scores: Scores) => number): number => each.reduce((sum, s) => sum + get(s), 0) / starts;
    const outcome = {
      who,
      scores: { huber: mean((s) => s.huber), nrmse: mean((s) => s.nrmse), fvu: mean((s) => s.fvu) },
      macs: macs(space, architecture),
      searchMacs: searched.macs,
      trainMacs: spent,
      seconds: searched.seconds + since(start),
    };
    note(
      `  ${who}: Huber ${outcome.scores.huber.toExponential(2)}, ${(outcome.macs / 1e6).toFixed(1)} M, ${outcome.seconds.toFixed(0)} s`,
    );
    return outcome;
  };
  const plain = plainArchitecture(
    space,
    space.slots.map(({ candidates }) => candidates.length - 1),
  );
  if (plain === undefined) throw new Error("internal: no convolutions to build a plain decoder of");
  const begin = performance.now();
  const { finals, spent, supernet: weights } = await runSearch(problem, "dense", rng.fork("dense"));
  const searched = { macs: spent, seconds: since(begin) };
  note(`  searched in ${searched.seconds.toFixed(0)} s: ${describeArchitecture(space, finals.best)}`);
  const published = async (): Promise<Outcome> => {
    const start = performance.now();
    const drawing = rng.fork("published");
    const architectures = Array.from({ length: draws }, () => drawArchitecture(finals.distribution ?? [], drawing));
    const predictor = await getEngine("onnxruntime").compile(predictGraph(supernet(space)));
    const mean = new Float32Array(truth.targets[0]!.length);
    for (const architecture of architectures) {
      const feeds = { x: truth.x, params: weights.params, gates: encode(space, architecture) };
      const { head0 } = await predictor.run(feeds, { rows: truth.rows });
      (head0 as Float32Array).forEach((value, i) => {
        mean[i]! += value / draws;
      });
    }
    await predictor.dispose();
    const scores = score(mean, truth);
    note(`  published: Huber ${scores.huber.toExponential(2)}`);
    return {
      who: `DENSE as published: ${draws} draws of the supernet`,
      scores,
      macs: architectures.reduce((a, architecture) => a + macs(space, architecture), 0),
      searchMacs: spent,
      trainMacs: 0,
      seconds: searched.seconds + since(start),
    };
  };
  const ensemble = async (): Promise<Outcome> => {
    const start = performance.now();
    const parts = await Promise.all(
      finals.architectures
        .slice(0, members)
        .map((architecture, m) => finalTrain(problem, architecture, budget / members, rng.fork(`member ${m}`).seed)),
    );
    const mean = parts[0]!.predicted.map(
      (_, i) => parts.reduce((a, { predicted }) => a + predicted[i]!, 0) / parts.length,
    );
    const scores = score(mean, truth);
    note(`  ensemble: Huber ${scores.huber.toExponential(2)}`);
    return {
      who: `ensemble of ${members} searched`,
      scores,
      macs: finals.architectures.slice(0, members).reduce((a, architecture) => a + macs(space, architecture), 0),
      searchMacs: spent,
      trainMacs: parts.reduce((a, part) => a + part.spent, 0),
      seconds: searched.seconds + since(start),
    };
  };
  return Promise.all([
    one("DENSE", finals.best, searched),
    one("plain conv3 decoder", plain),
    ...Array.from({ length: which.randoms }, (_, i) =>
      one("random", randomArchitecture(space, rng.fork(`random ${i}`))),
    ),
    published(),
    ensemble(),
  ]);
}

function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, c) => a - c);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
}

/** One row of the table for one seed: an outcome, or the median of several element by element. */
function medianOf(who: string, outcomes: readonly Outcome[]): Outcome {
  const of = (get: (outcome: Outcome) => number): number => median(outcomes.map(get));
  return {
    who,
    scores: { huber: of((o) => o.scores.huber), nrmse: of((o) => o.scores.nrmse), fvu: of((o) => o.scores.fvu) },
    macs: of((o) => o.macs),
    searchMacs: of((o) => o.searchMacs),
    trainMacs: of((o) => o.trainMacs),
    seconds: of((o) => o.seconds),
  };
}

/** Rows of a case's table: mean over the seeds and, of the Huber loss, every seed's value. */
function tableRows(title: string, seeds: readonly (readonly Outcome[])[]): string[] {
  const rows = seeds.map((outcomes) => {
    const randoms = outcomes.filter(({ who }) => who === "random");
    const best = randoms.reduce((a, c) => (c.scores.huber < a.scores.huber ? c : a));
    const others = outcomes.filter(({ who }) => who !== "random");
    const middle = medianOf(`random, median of ${randoms.length}`, randoms);
    return [...others, middle, { ...best, who: `random, best of ${randoms.length} by test` }];
  });
  const searched = rows.map(([first]) => first!.scores.huber);
  return rows[0]!.map(({ who }, i) => {
    const all = rows.map((row) => row[i]!);
    const mean = (get: (outcome: Outcome) => number): number => all.reduce((a, c) => a + get(c), 0) / all.length;
    const hubers = all.map(({ scores }) => scores.huber);
    const beaten = hubers.filter((huber, s) => searched[s]! < huber).length;
    const cells = [
      title,
      who,
      mean((o) => o.scores.huber).toExponential(2),
      hubers.map((huber) => huber.toExponential(1)).join(", "),
      i === 0 ? "" : `${beaten} of ${all.length}`,
      mean((o) => o.scores.nrmse).toFixed(4),
      mean((o) => o.scores.fvu).toExponential(2),
      (mean((o) => o.macs) / 1e6).toFixed(2),
      (mean((o) => o.searchMacs) / 1e9).toFixed(0),
      (mean((o) => o.trainMacs) / 1e9).toFixed(0),
      mean((o) => o.seconds).toFixed(0),
    ];
    return `| ${cells.join(" | ")} |`;
  });
}

const header = [
  "| case | network | test Huber | per seed | DENSE is better in | nRMSE | FVU | network, M macs | search, G macs | training, G macs | wall, s |",
  "|---|---|---|---|---|---|---|---|---|---|---|",
];

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      quick: { type: "boolean", default: false },
      case: { type: "string" },
      seeds: { type: "string" },
      "first-seed": { type: "string", default: "1" },
      randoms: { type: "string" },
      jobs: { type: "string", default: "2" },
    },
  });
  const runner = values.jobs === "1" ? inProcess() : workerPool(Number(values.jobs));
  const lines = [...header];
  for (const [name, base] of Object.entries<Case>(cases)) {
    if (values.case !== undefined && values.case !== name) continue;
    const quick = values.quick ? { seeds: 1, randoms: 3, searchEpochs: 4, finalSteps: 30, trials: 8 } : {};
    const which: Case = {
      ...base,
      ...quick,
      ...(values.seeds === undefined ? {} : { seeds: Number(values.seeds) }),
      ...(values.randoms === undefined ? {} : { randoms: Number(values.randoms) }),
    };
    const outcomes: Outcome[][] = [];
    const first = Number(values["first-seed"]);
    for (let seed = first; seed < first + which.seeds; seed++) {
      const rng = makeRng(seed).fork(name);
      const problem = makeProblem(which, rng, runner);
      note(`${which.toy.name}, seed ${seed}: a random architecture takes ${(problem.typical / 1e6).toFixed(1)} M macs`);
      outcomes.push(await runSeed(problem, rng));
    }
    lines.push(...tableRows(which.toy.name, outcomes));
  }
  await runner.dispose();
  console.log(lines.join("\n"));
  if (values.quick) console.log("\n--quick shows that it runs, not what it is worth: nothing is trained to an end.");
}

await main();
