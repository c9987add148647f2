/** Searches over a small super-architecture: with a trainer whose losses are planted, and with the real one. */
import { getEngine } from "../../src/engine/index.ts";
import { makeRng } from "../../src/rng.ts";
import { makeBudget, makeHistory, type SearchContext } from "../../src/search/index.ts";
import {
  type Architecture,
  architectureId,
  encode,
  macs,
  superArchitecture,
  type SuperArchitecture,
  supernet,
} from "../../src/space/index.ts";
import { type SupernetState, type SupernetTrainer, supernetTrainer, type TrainingData } from "../../src/train/index.ts";

/** Two inputs to one scalar. */
export const space = superArchitecture({
  inputs: 2,
  widths: [4, 8],
  trunkNodes: 2,
  heads: [{ kind: "vector", name: "scalars", size: 1 }],
});

/** The architecture whose gates these are. */
export function decode(of: SuperArchitecture, gates: Float32Array): Architecture {
  let at = 0;
  return of.slots.map(({ candidates }) => {
    const row = [...gates.subarray(at, at + candidates.length)];
    at += candidates.length;
    if (row.filter((gate) => gate === 1).length !== 1 || row.some((gate) => gate !== 0 && gate !== 1))
      throw new Error(`not one-hot: ${row.join()}`);
    return row.indexOf(1);
  });
}

/** What a trainer was asked to do. */
export interface Asked {
  readonly trained: Architecture[];
  readonly validated: Architecture[];
}

/** A trainer that learns nothing: the loss of an architecture is planted. */
export function plantedTrainer(
  lossOf: (architecture: Architecture) => number,
  of = space,
): SupernetTrainer & { readonly asked: Asked } {
  const asked: Asked = { trained: [], validated: [] };
  let steps = 0;
  const state = (): SupernetState => ({
    params: Float32Array.of(steps),
    first: new Float32Array(1),
    second: new Float32Array(1),
    steps,
    touches: Int32Array.of(steps),
  });
  return {
    asked,
    network: supernet(of),
    batch: 4,
    validationRows: 10,
    stepsPerEpoch: 3,
    async train(gates) {
      asked.trained.push(...gates.map((one) => decode(of, one)));
      steps += gates.length;
      return 1;
    },
    async validate(gates) {
      const architecture = decode(of, gates);
      asked.validated.push(architecture);
      return lossOf(architecture);
    },
    state,
    restore(from) {
      steps = from.steps;
    },
    async dispose() {},
  };
}

/** A smooth function of two inputs on 60 random points. Rows from `unseen` on hold NaN as targets. */
export function toyData(rows = 60, unseen = rows): TrainingData {
  const rng = makeRng(50);
  const x = Float32Array.from({ length: 2 * rows }, () => 2 * rng.uniform() - 1);
  const y = Float32Array.from({ length: rows }, (_, i) =>
    i >= unseen ? Number.NaN : Math.sin(2 * x[2 * i]!) + x[2 * i + 1]! ** 2 - 0.3,
  );
  return { rows, inputs: 2, x, targets: [y] };
}

export function rowRange(from: number, to: number): Int32Array {
  return Int32Array.from({ length: to - from }, (_, i) => from + i);
}

/** The real trainer on {@link toyData}: trains on 40 rows, validates on 10, the last 10 are for nobody. */
export async function realTrainer(data = toyData(), of = space, seed = 51): Promise<SupernetTrainer> {
  return supernetTrainer({
    engine: getEngine("onnxruntime"),
    network: supernet(of),
    data,
    trainRows: rowRange(0, 40),
    validationRows: rowRange(40, 50),
    batch: 8,
    loss: "huber",
    rng: makeRng(seed),
  });
}

/** A trainer that passes all on, and remembers what it was asked. */
export function watched(trainer: SupernetTrainer): SupernetTrainer & { readonly asked: Asked } {
  const asked: Asked = { trained: [], validated: [] };
  const of = trainer.network.space;
  return {
    ...trainer,
    asked,
    train(gates, rate) {
      asked.trained.push(...gates.map((one) => decode(of, one)));
      return trainer.train(gates, rate);
    },
    validate(gates) {
      asked.validated.push(decode(of, gates));
      return trainer.validate(gates);
    },
  };
}

/** A context for calling a strategy by hand, with an endless budget. */
export function contextFor(options: Partial<SearchContext> & { readonly trainer: SupernetTrainer }): SearchContext {
  const { trainer, ...rest } = options;
  const of = trainer.network.space;
  const history = makeHistory();
  return {
    space: of,
    evaluator: {
      batch: trainer.batch,
      stepsPerEpoch: trainer.stepsPerEpoch,
      train: (architectures, rate) =>
        trainer.train(
          architectures.map((one) => encode(of, one)),
          rate,
        ),
      validate: (architecture) => trainer.validate(encode(of, architecture)),
      keep: () => {},
    },
    latency: { unit: "macs", of: (architecture) => macs(of, architecture) },
    workExponent: 0,
    budget: makeBudget(Number.POSITIVE_INFINITY),
    progress: 0,
    history,
    rng: makeRng(52),
    members: 4,
    record(event, architecture, more = {}) {
      history.append({
        strategy: "test",
        seed: 0,
        architecture: architectureId(architecture),
        event,
        costSoFar: 0,
        ...more,
      });
    },
    ...rest,
  };
}
