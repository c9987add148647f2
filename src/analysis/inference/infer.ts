/** Posteriors of inputs from measurements: start, chain, intervals and convergence in one. */
import type { Rng } from "../../rng.ts";
import { convergence, type Convergence } from "./convergence.ts";
import type { ErrorModes } from "./error-modes.ts";
import { type ForwardModel, logPosterior, type Measurement, statedOver } from "./likelihood.ts";
import { physicalOf, physicalRows, type PriorInput } from "./prior.ts";
import { type Chain, sample } from "./sampler.ts";
import { temperedStart } from "./tempered-start.ts";

export interface InferOptions {
  readonly prior: readonly PriorInput[];
  readonly model: ForwardModel;
  /** One list of fields per posterior; they are drawn side by side. */
  readonly measured: readonly (readonly Measurement[])[];
  /** How the emulator's errors hang together; default: each element by itself. */
  readonly errors?: ErrorModes;
  readonly rng: Rng;
  /** Default {@link defaultWalkers}. */
  readonly walkers?: number;
  /** Default 120 steps after a burn-in of 40. */
  readonly steps?: number;
  readonly burn?: number;
  /** Walkers to start from, in u; default: a tempered start from the prior. */
  readonly start?: Float64Array;
  /** Share of the work that is done, 0 to 1. */
  readonly onFraction?: (fraction: number) => void;
  readonly shouldStop?: () => boolean;
}

/** The posterior of one list of measurements. */
export interface Posterior {
  readonly prior: readonly PriorInput[];
  /** Draws in u, draws × d: all walkers at all steps. */
  readonly u: Float64Array;
  readonly chain: Chain;
  readonly convergence: Convergence;
}

/** Walkers by default: eight per input, 64 at least. Few walkers do not hold several peaks in their right shares. */
export function defaultWalkers(d: number): number {
  return Math.max(64, 8 * d);
}

/** Share of the work that a tempered start takes, about. */
const startShare = 0.35;

/** Draws from each posterior. The covariance of an emulator's errors is that over the posterior, not at each point: how large one
 * run's errors are says too little of its inputs for ln |S| to be evidence. @throws OptionError as {@link sample} */
export async function infer(options: InferOptions): Promise<readonly Posterior[]> {
  const { prior, model, measured, rng, steps = 120, burn = 40, onFraction, shouldStop } = options;
  const d = prior.length;
  const walkers = options.walkers ?? defaultWalkers(d);
  const density = logPosterior(prior, model, measured, options.errors);
  const stop = shouldStop === undefined ? {} : { shouldStop };
  const start =
    options.start ??
    (await temperedStart(density, {
      ...{ d, walkers, ensembles: measured.length, rng: rng.fork("start") },
      // Powers rise by factors.
      onPower: (power) => onFraction?.(startShare * (1 + Math.max(-1, Math.log10(power) / 6))),
      ...stop,
    }));
  const before = options.start === undefined ? startShare : 0;
  const unsure = (await model(physicalRows(prior, start.slice(0, d)))).some(({ std }) => std !== undefined);
  const total = burn + steps + (unsure ? burn + 1 : 0);
  let done = 0;
  const draw = async (from: Float64Array, kept: number, label: string): Promise<readonly Chain[]> => {
    const stated = unsure ? await statedAt(from) : undefined;
    return sample(logPosterior(prior, model, measured, options.errors, stated), {
      ...{ d, walkers, start: from, steps: kept, burn, rng: rng.fork(label) },
      onStep: () => onFraction?.(before + ((1 - before) * ++done) / total),
      ...stop,
    });
  };
  const statedAt = (from: Float64Array): Promise<readonly (readonly Float64Array[])[]> =>
    Promise.all(
      measured.map((_, e) => statedOver(prior, model, from.subarray(e * walkers * d, (e + 1) * walkers * d))),
    );
  // An emulator's covariance is taken where the walkers are, and again where it made them go.
  const settled = unsure ? await draw(start, 1, "settle") : undefined;
  const chains =
    settled !== undefined && shouldStop?.() === true ? settled : await draw(endOf(settled) ?? start, steps, "chain");
  return chains.map((chain) => ({ prior, u: chain.points, chain, convergence: convergence(chain) }));
}

/** Where chains of one step ended. */
function endOf(chains: readonly Chain[] | undefined): Float64Array | undefined {
  return chains && Float64Array.from(chains.flatMap(({ points }) => Array.from(points)));
}

/** Draws of input `j`, in u. */
export function drawsOf({ prior, u }: Pick<Posterior, "prior" | "u">, j: number): Float64Array {
  const d = prior.length;
  return Float64Array.from({ length: u.length / d }, (_, i) => u[i * d + j]!);
}

/** Draws of input `j` in its unit. */
export function physicalDraws(posterior: Pick<Posterior, "prior" | "u">, j: number): Float64Array {
  const input = posterior.prior[j]!;
  return drawsOf(posterior, j).map((value) => physicalOf(input, value));
}
