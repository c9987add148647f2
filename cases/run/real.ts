/** The inverse problem with the simulator itself, where it is fast enough: what the emulator's posterior is to be. */
import { type ForwardModel, makeRng, type Runs, type TaskRunner, unitOf } from "../../src/index.ts";
import type { Case } from "../case.ts";
import { type BatchRuns, batchTask } from "../simulate.ts";
import { describe, invertWith, measure, type Solved, thinned, truthOf } from "./invert.ts";

export interface RealChain {
  readonly solved: Solved;
  /** Draws in u. */
  readonly draws: Float64Array;
  /** Runs of the simulator that it took. */
  readonly simulations: number;
  readonly seconds: number;
}

export interface RealOptions {
  readonly seed: number;
  readonly steps: number;
  readonly burn: number;
  readonly runner: TaskRunner;
  readonly onProgress?: (fraction: number) => void;
  readonly now: () => number;
}

/** Samples the posterior of the first truth with the simulator. @param start walkers in u, as the emulator's chain left
 * them   @returns undefined if told to stop */
export async function invertForReal(
  study: Case,
  runs: Runs,
  start: Float64Array,
  { seed, steps, burn, runner, onProgress, now }: RealOptions,
): Promise<RealChain | undefined> {
  const started = now();
  const rng = makeRng(seed).fork(`inverse problem of ${study.name}`);
  const measured = measure(study, runs, 0, rng.fork("noise 0"));
  let simulations = 0;
  const model: ForwardModel = async (x) => {
    simulations += x.length / study.inputs.length;
    return simulate(study, x, runner);
  };
  const posterior = await invertWith(model, study, measured, start, {
    steps,
    burn,
    rng: rng.fork("real chain"),
    ...(onProgress === undefined ? {} : { onFraction: onProgress }),
    shouldStop: () => runner.stopped,
  });
  if (runner.stopped) return undefined;
  return {
    solved: describe(posterior, truthOf(study, runs, 0)),
    draws: thinned(posterior),
    simulations,
    seconds: (now() - started) / 1000,
  };
}

/** Runs the simulator at physical points, spread over the runner. Failed runs, and those of a stopped runner, are NaN. */
async function simulate(study: Case, x: Float64Array, runner: TaskRunner) {
  const d = study.inputs.length;
  const u = x.map((value, i) => Math.min(1, Math.max(0, unitOf(study.inputs[i % d]!, value))));
  const n = u.length / d;
  const rows = Math.ceil(n / runner.parallel);
  const parts: Promise<BatchRuns | undefined>[] = [];
  for (let from = 0; from < n; from += rows)
    parts.push(runner.run(batchTask, { name: study.name, u: u.slice(from * d, (from + rows) * d) }));
  const made = await Promise.all(parts);
  return study.inverse.observed.map((name) => {
    const size = study.outputs.find((output) => output.name === name)!.shape.reduce((all, extent) => all * extent, 1);
    const mean = new Float64Array(n * size).fill(Number.NaN);
    made.forEach((part, k) => {
      if (part !== undefined) mean.set(part.outputs[name]!, k * rows * size);
    });
    return { mean };
  });
}
