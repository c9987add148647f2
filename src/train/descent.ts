/** How a member is finished: the stages of its path, by one of two optimisers. */
import type { Engine } from "../engine/index.ts";
import type { Network } from "../space/index.ts";
import type { TrainingData } from "./data.ts";
import { decayMask, trainedSize } from "./graphs.ts";
import type { LossName } from "./loss.ts";
import { fullObjective } from "./objective.ts";
import { lbfgs, levenbergMarquardt } from "./optimisers/index.ts";
import { engineProducts } from "./pair-products.ts";
import { residualProblem } from "./residuals.ts";

/** `levenberg-marquardt`: for the mean square of one vector of scalars, with few residuals; its cost grows with their cube.
 * `lbfgs`: all else. */
export type Finish = "lbfgs" | "levenberg-marquardt";

/** What an iteration takes, in passes over the rows, roughly. */
export const passesOf: Readonly<Record<Finish, number>> = { lbfgs: 1, "levenberg-marquardt": 15 };

/** One stage: weight of the sum of squared weights beside the mean loss, and iterations at most. */
export interface Stage {
  readonly weightDecay: number;
  readonly iterations: number;
}

export interface Descent {
  /** Goes down from `params`. @param watch told after each iteration; true stops */
  run(params: Float32Array, stage: Stage, watch: (iteration: number, loss: number) => boolean): Promise<Descended>;
  /** What the network at `params` would miss each run by, had it been left out, n x m; undefined where that is not known. */
  leaveOneOut(params: Float32Array, weightDecay: number): Promise<Float32Array | undefined>;
  dispose(): Promise<void>;
}

export interface Descended {
  readonly params: Float32Array;
  /** Mean loss there, without the decay. */
  readonly dataLoss: number;
  readonly iterations: number;
  readonly evaluations: number;
}

/** Pairs that L-BFGS remembers. */
const memory = 10;
/** Damping that the first stage starts with: the weights have hardly been trained. */
const firstDamping = 1e-2;

/** A descent for all stages of a path. Dispose when done. */
export function descentOf(
  finish: Finish,
  engine: Engine,
  network: Network,
  loss: LossName,
  fit: TrainingData,
): Promise<Descent> {
  return finish === "lbfgs" ? byGradients(engine, network, loss, fit) : byResiduals(engine, network, fit);
}

async function byGradients(engine: Engine, network: Network, loss: LossName, fit: TrainingData): Promise<Descent> {
  const size = trainedSize(network, loss);
  const objective = await fullObjective(engine, network, loss, fit);
  const products = await engineProducts(engine, memory, size);
  const trial = new Float32Array(size);
  const gradient = new Float32Array(size);
  const mask = decayMask(network, size, 1);
  return {
    async run(params, { weightDecay, iterations: limit }, watch) {
      let dataLoss = Number.NaN;
      const { point, iterations, evaluations } = await lbfgs(
        async (at) => {
          trial.set(at);
          dataLoss = await objective.evaluate(trial, gradient);
          let penalty = 0;
          if (weightDecay > 0)
            for (let i = 0; i < size; i++) {
              const weight = mask[i]! * at[i]!;
              penalty += weight * weight;
              gradient[i]! += 2 * weightDecay * weight;
            }
          return { loss: dataLoss + weightDecay * penalty, gradient };
        },
        params,
        { iterations: limit, memory, products, onIteration: ({ iteration, loss: now }) => watch(iteration, now) },
      );
      return { params: point, dataLoss, iterations, evaluations };
    },
    leaveOneOut: () => Promise.resolve(undefined),
    async dispose() {
      await objective.dispose();
      await products.dispose();
    },
  };
}

async function byResiduals(engine: Engine, network: Network, fit: TrainingData): Promise<Descent> {
  const problem = await residualProblem(engine, network, fit);
  let damping = firstDamping;
  return {
    async run(params, stage, watch) {
      const found = await levenbergMarquardt(problem, params, { ...stage, damping, onIteration: watch });
      damping = found.damping;
      const { point, meanSquare, iterations, evaluations } = found;
      return { params: point, dataLoss: meanSquare, iterations, evaluations };
    },
    leaveOneOut: problem.leaveOneOut,
    dispose: () => problem.dispose(),
  };
}
