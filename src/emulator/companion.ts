/**
 * A companion: a predictor that stands beside the networks in the emulator's graph, such as Gaussian processes. Each
 * field mixes both, by weights that minimise the CRPS of held-out runs (stacking of predictive distributions: Yao,
 * Vehtari, Simpson & Gelman 2018, with CRPS for their log score); the mixture is calibrated as one.
 */
import { gaussianCrps } from "../normal.ts";
import { levelFactors, rowMaxima } from "./calibration.ts";
import type { CompanionForward, FieldCalibration } from "./emulator-graph.ts";
import type { FieldOutOfFold } from "./out-of-fold.ts";

/** Predicts all elements of one head. */
export interface Companion {
  readonly forward: CompanionForward;
  /** Mean and variance (noise included) of every run held out, rows x size, scaled. */
  readonly heldOutMean: Float64Array;
  readonly heldOutVariance: Float64Array;
  /** Variance of the simulator's noise per element, scaled; zeros where none was seen. */
  readonly noise: Float64Array;
}

/** A companion's forward pass where its noise is believed in part only: the rest is uncertainty about the simulator.
 * @param noise standard deviation of the simulator's noise per element, as calibrated */
export function believedForward({ forward, noise: seen }: Companion, noise: readonly number[]): CompanionForward {
  const rest = seen.map((variance, j) => Math.max(0, variance - noise[j]! ** 2));
  if (rest.every((variance) => variance === 0)) return forward;
  return (b, scaled) => {
    const { mean, variance } = forward(b, scaled);
    return { mean, variance: b.sum(variance, b.constant(rest, [1, rest.length], "float64")) };
  };
}

/** What a mixture is judged by: one element's or one field's errors and variances, held out. */
interface Part {
  readonly error: Float64Array;
  /** Of the noise-free simulator. */
  readonly variance: Float64Array;
}

/** One field's held-out numbers, by the networks and by the companion. */
export interface StackInput {
  readonly held: FieldOutOfFold;
  readonly size: number;
  /** Calibration of the networks alone, and what averaging leaves of one member's error. */
  readonly networks: FieldCalibration;
  readonly shrink: number;
  /** The companion's held-out mean and variance for the judged rows, rows x size. */
  readonly mean: Float64Array;
  readonly variance: Float64Array;
  /** Standard deviation of the simulator's noise per element. */
  readonly noise: readonly number[];
  /** A weight of the networks to take as it is, or `"best"`: that of the least score, whatever chance may have given. Default: the one
   * that stacking finds. */
  readonly share?: number | "best";
}

const weightSteps = 20;
/** A mixture has to beat the better part by this share; and the size of the spread is chosen on a grid this fine. */
const worthIt = 0.002;
const sizeStep = Math.log(1.1);

/** Errors and latent variances of the mixture with weight w on the networks. */
function mix(networks: Part, companion: Part, w: number): Part {
  const error = networks.error.map((e, i) => w * e + (1 - w) * companion.error[i]!);
  const variance = networks.variance.map((v, i) => {
    const apart = networks.error[i]! - companion.error[i]!;
    return w * v + (1 - w) * companion.variance[i]! + w * (1 - w) * apart * apart;
  });
  return { error, variance };
}

/** The factor on standard deviations with the least mean CRPS, and that CRPS. Residuals tell little of the simulator where
 * noise drowns it (stated 3 % too large, the rest ended at a tenth of what was true): by the share of noise, a factor has to win
 * more than chance may give. @param noise variance, one per element */
function bestSize(part: Part, noise: (i: number) => number): { readonly size: number; readonly crps: number } {
  const n = part.error.length;
  let [latent, drowning] = [0, 0];
  for (let i = 0; i < n; i++) {
    latent += part.variance[i]!;
    drowning += noise(i);
  }
  const chance = drowning === 0 ? 0 : drowning / (latent + drowning) / Math.sqrt(n);
  const crpsAt = (size: number): number =>
    (crpsEach(part, size, noise).reduce((a, b) => a + b, 0) / n) * (1 + chance * Math.log(size) ** 2);
  let [at, crps] = [0, crpsAt(1)];
  for (const direction of [1, -1])
    for (let k = direction; Math.abs(k) <= 24; k += direction) {
      const next = crpsAt(Math.exp(k * sizeStep));
      if (next >= crps) break;
      [at, crps] = [k, next];
    }
  return { size: Math.exp(at * sizeStep), crps };
}

function crpsEach({ error, variance }: Part, size: number, noise: (i: number) => number): Float64Array {
  return error.map((e, i) => gaussianCrps(e, Math.sqrt(size * size * variance[i]! + noise(i))));
}

/** At most this many numbers judge one weight: of large fields every so-many-th. */
const mostJudged = 4000;

/** Stacks one field: a weight per element of a vector, one for all elements of a signal or image.
 * @returns the calibration of the mixture */
export function stackField(input: StackInput): FieldCalibration {
  const { held, size, shrink, noise } = input;
  const count = held.truth.length;
  const companion = companionPart({ ...input, truth: held.truth });
  const networks = withoutNoise(input, companion);
  const all: Record<"networks" | "companion", Part> = {
    networks: {
      // The emulator's networks are the mean of all members: better than the one that had not seen the run.
      error: held.truth.map((truth, i) => shrink * (held.mean[i]! - truth)),
      variance: networkVariance(networks, held.spread, size),
    },
    companion,
  };
  const stride = Math.max(1, Math.floor(count / mostJudged) | 1);
  const thin = (values: Float64Array): Float64Array => values.filter((_, i) => i % stride === 0);
  const judged = {
    networks: { error: thin(all.networks.error), variance: thin(all.networks.variance) },
    companion: { error: thin(all.companion.error), variance: thin(all.companion.variance) },
  };
  const noiseAt = (i: number): number => noise[i % size]! ** 2;
  const judgedNoise = (i: number): number => noiseAt(i * stride);
  const mixtures = Array.from({ length: weightSteps + 1 }, (_, step) => {
    const part = mix(judged.networks, judged.companion, step / weightSteps);
    return { part, ...bestSize(part, judgedNoise) };
  });
  const scores = mixtures.map(({ crps }) => crps);
  const alone = Math.min(scores[0]!, scores[weightSteps]!);
  const least = Math.min(...scores);
  const chosen = least < (1 - worthIt) * alone ? scores.indexOf(least) : scores[0] === alone ? 0 : weightSteps;
  const scoresAt = (step: number): Float64Array => {
    const { part, size: factor } = mixtures[step]!;
    return crpsEach(part, factor, judgedNoise);
  };
  const { share } = input;
  const drowned = drownedShare(judged.companion.error, judgedNoise);
  const leaning = share === undefined && drowned > 0;
  const told = leaning ? leastTold(chosen, drowned, scoresAt, (i) => Math.floor((i * stride) / size)) : chosen;
  const weight = typeof share === "number" ? share : told / weightSteps;
  const heldOutCrps = { networks: scores[weightSteps]!, processes: scores[0]!, mixture: scores[chosen]! };
  if (weight === 1 && noise.every((value) => value === 0)) return { ...networks, heldOutCrps };

  const mixture = mix(all.networks, all.companion, weight);
  return {
    ...networks,
    noise: [...noise],
    networkShare: weight,
    heldOutCrps,
    ...calibratePart(mixture, size, noiseAt),
  };
}

/** Share of the mean squared error that is noise. */
function drownedShare(errors: Float64Array, noise: (i: number) => number): number {
  let [seen, missed] = [0, 0];
  errors.forEach((error, i) => {
    seen += noise(i);
    missed += error * error;
  });
  return missed > 0 ? Math.min(1, seen / missed) : 0;
}

/** The networks' least weight that held-out runs do not tell from the best: within one standard error of its score (Breiman et al. 1984,
 * Classification and Regression Trees, 3.4.3) where all that is missed is noise, less by the square of its share: noise drowns the
 * differences, and the companion's likelihood knows of it.
 * @param scoresAt scores of a weight, one per judged number  @param runOf the run that a number is of */
function leastTold(
  best: number,
  drowned: number,
  scoresAt: (step: number) => Float64Array,
  runOf: (i: number) => number,
): number {
  const least = scoresAt(best);
  let step = best;
  for (; step > 0; step--) {
    const runs = new Map<number, number>();
    scoresAt(step - 1).forEach((score, i) => {
      runs.set(runOf(i), (runs.get(runOf(i)) ?? 0) + score - least[i]!);
    });
    const apart = [...runs.values()];
    const sum = apart.reduce((a, b) => a + b, 0);
    const squares = apart.reduce((a, b) => a + (b - sum / apart.length) ** 2, 0);
    if (sum > drowned ** 2 * Math.sqrt(squares)) break;
  }
  return step;
}

/** Latent variances by the networks. */
function networkVariance({ spreadFactor, floor }: FieldCalibration, spread: Float64Array, size: number): Float64Array {
  const pick = (values: readonly number[], j: number): number => values[values.length === 1 ? 0 : j]!;
  return spread.map((s, i) => (pick(spreadFactor, i % size) * s) ** 2 + pick(floor, i % size) ** 2);
}

/** The networks' calibration with the noise taken out of the spread. Residuals hold both: by the share of noise in them, the
 * networks' variance is made as large, on average, as the posterior of the companion, which tells one from the other. */
function withoutNoise({ networks, held, size, noise }: StackInput, companion: Part): FieldCalibration {
  const noisy = noise.reduce((sum, value) => sum + value ** 2, 0) / size;
  if (noisy === 0) return networks;
  const average = (values: Float64Array): number => values.reduce((sum, value) => sum + value, 0) / values.length;
  const own = average(networkVariance(networks, held.spread, size));
  const squared = average(held.truth.map((truth, i) => (held.mean[i]! - truth) ** 2));
  const share = Math.min(1, noisy / squared);
  const factor = Math.sqrt(1 - share + (share * average(companion.variance)) / own);
  const scaled = (values: readonly number[]): number[] => values.map((value) => value * factor);
  return { ...networks, spreadFactor: scaled(networks.spreadFactor), floor: scaled(networks.floor) };
}

/** The size of the spreads, and the intervals. @param noise variance, one per number */
function calibratePart(
  part: Part,
  size: number,
  noise: (i: number) => number,
): Pick<FieldCalibration, "unit" | "quantiles" | "bands"> {
  const { size: unit } = bestSize(part, noise);
  const standardised = part.error.map(
    (error, i) => Math.abs(error) / Math.sqrt(unit * unit * part.variance[i]! + noise(i)),
  );
  return {
    unit,
    ...(size === 1 ? {} : { bands: levelFactors(rowMaxima(standardised, size)) }),
    quantiles: levelFactors(standardised),
  };
}

/** Calibrates a field that the companion predicts alone: every run counts, also those that all networks had seen.
 * @param stacked the calibration of what was stacked, with no share for the networks */
export function calibrateAlone(
  stacked: FieldCalibration,
  input: Pick<StackInput, "size" | "mean" | "variance" | "noise"> & { readonly truth: Float64Array },
): FieldCalibration {
  const { size, noise } = input;
  const part = companionPart(input);
  return { ...stacked, networkShare: 0, ...calibratePart(part, size, (i) => noise[i % size]! ** 2) };
}

/** A companion's errors, and its variances without the noise. */
function companionPart({
  truth,
  mean,
  variance,
  noise,
  size,
}: Pick<StackInput, "size" | "mean" | "variance" | "noise"> & { readonly truth: Float64Array }): Part {
  return {
    error: mean.map((value, i) => value - truth[i]!),
    variance: variance.map((value, i) => Math.max(value - noise[i % size]! ** 2, 1e-3 * value)),
  };
}
