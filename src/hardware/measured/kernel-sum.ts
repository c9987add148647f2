/**
 * The kernel-sum model (spec latency 2 and C3): a call is a session, its kernels, and what is counted around them. Prediction, the fit
 * to whole networks, and how well networks that were left out are predicted.
 */
import { type Parts, type Residuals, sharesOf } from "../conformal.ts";
import type { Kernel } from "../kernels.ts";
import { mean } from "../metrics.ts";
import { robustNonNegative } from "../nnls.ts";
import type { KindFit, Padding } from "./calibration.ts";
import type { KernelScheme } from "./scheme.ts";

/** Kernels that took so long together. */
export interface UnitPoint {
  readonly kernels: readonly Kernel[];
  readonly batch: number;
  readonly seconds: number;
}

/** A whole network. */
export interface NetworkPoint extends UnitPoint {
  /** How many there are of what the scheme counts around kernels. */
  readonly around: readonly number[];
}

/** What predicts a network. */
export interface KernelSum {
  readonly sessionSeconds: number;
  /** Seconds for each of what the scheme counts around kernels. */
  readonly aroundSeconds: readonly number[];
  readonly kinds: Readonly<Record<string, KindFit>>;
}

/** What features are computed with. */
export interface Setting {
  readonly scheme: KernelScheme;
  readonly padding: Padding;
}

/** A kernel's seconds by its kind's fit. @returns also whether it lies inside the calibrated box */
export function kernelTime(
  fits: Readonly<Record<string, KindFit>>,
  kernel: Kernel,
  batch: number,
  { scheme, padding }: Setting,
): { readonly seconds: number; readonly inside: boolean } {
  const measured = scheme.standIns(scheme.kindOf(kernel, batch)).find((kind) => fits[kind] !== undefined);
  if (measured === undefined) return { seconds: 0, inside: false };
  const { coefficients, high } = fits[measured]!;
  const x = scheme.features(kernel, batch, padding);
  let seconds = 0;
  for (let j = 0; j < x.length; j++) seconds += coefficients[j]! * x[j]!;
  return { seconds, inside: x.every((value, j) => value <= 1.5 * high[j]!) };
}

/** A network's seconds by kind of kernel, and those of the session and around. */
function networkParts(sum: KernelSum, { kernels, batch, around }: NetworkPoint, setting: Setting): Parts {
  const rest = around.reduce((total, count, j) => total + count * sum.aroundSeconds[j]!, sum.sessionSeconds);
  return partsOf(
    kernels,
    batch,
    setting.scheme,
    kernels.map((kernel) => kernelTime(sum.kinds, kernel, batch, setting).seconds),
    rest,
  );
}

/** What a call's kernels take by kind, for all batches alike. @param seconds of each kernel  @param rest of what is around */
export function partsOf(
  kernels: readonly Kernel[],
  batch: number,
  scheme: KernelScheme,
  seconds: readonly number[],
  rest: number,
): Parts {
  const parts: Record<string, number> = { rest };
  kernels.forEach((kernel, i) => {
    const [kind = ""] = scheme.kindOf(kernel, batch).split("@");
    parts[kind] = (parts[kind] ?? 0) + seconds[i]!;
  });
  return parts;
}

function total(parts: Parts): number {
  return Object.values(parts).reduce((sum, seconds) => sum + seconds, 0);
}

/** A value for each of n points from what was fitted without its fold, of five. */
export function outOfFold<Value>(n: number, fit: (train: readonly number[]) => (i: number) => Value): Value[] {
  const all = Array.from({ length: n }, (_, i) => i);
  const values = new Array<Value>(n);
  for (let fold = 0; fold < 5; fold++) {
    const train = all.filter((i) => i % 5 !== fold);
    if (train.length === 0) continue;
    const value = fit(train);
    for (const i of all) if (i % 5 === fold) values[i] = value(i);
  }
  return values;
}

/** A way to fit the model to networks, and what features it takes. */
export interface Way {
  readonly setting: Setting;
  fit(train: readonly NetworkPoint[]): KernelSum;
}

/** The way that predicts networks best that it had not seen, fitted to all. @param networks in random order
 * @returns also the residuals of those predictions */
export function fitBest(
  networks: readonly NetworkPoint[],
  ways: readonly Way[],
): { readonly sum: KernelSum; readonly setting: Setting; readonly residuals: Residuals } {
  const batch = networks.map((network) => network.batch);
  const judged = ways.map((way) => {
    const predicted = outOfFold(networks.length, (train) => {
      const sum = way.fit(train.map((i) => networks[i]!));
      return (i) => networkParts(sum, networks[i]!, way.setting);
    });
    const logResidual = networks.map(({ seconds }, i) => Math.log(seconds / total(predicted[i]!)));
    return {
      way,
      error: mean(logResidual.map(Math.abs)),
      residuals: { shares: columnsOf(predicted.map(sharesOf)), logResidual, batch },
    };
  });
  const { way, residuals } = judged.reduce((best, next) => (next.error < best.error ? next : best));
  return { sum: way.fit(networks), setting: way.setting, residuals };
}

/** By kind, a number for each network. */
function columnsOf(shares: readonly Parts[]): Residuals["shares"] {
  const kinds = [...new Set(shares.flatMap((each) => Object.keys(each)))].sort();
  // Four digits say more than enough of a share.
  const short = (value: number): number => Number(value.toPrecision(4));
  return Object.fromEntries(kinds.map((kind) => [kind, shares.map((each) => short(each[kind] ?? 0))]));
}

/** So many networks tell all about one kind. */
export const NETWORKS_PER_KIND = 5;

/** The kinds of a network's kernels. */
function kindsOf({ kernels, batch }: UnitPoint, scheme: KernelScheme): ReadonlySet<string> {
  return new Set(kernels.map((kernel) => scheme.kindOf(kernel, batch)));
}

/** In how many networks each kind is. */
export function countKinds(networks: readonly UnitPoint[], scheme: KernelScheme): ReadonlyMap<string, number> {
  const counts = new Map<string, number>();
  for (const network of networks)
    for (const kind of kindsOf(network, scheme)) counts.set(kind, (counts.get(kind) ?? 0) + 1);
  return counts;
}

/** All coefficients of some kinds, the session and what is around, from networks alone, by relative errors of which outliers count less.
 * @param before what else there is: other kinds stay as they are
 * @param groups kinds that share their coefficients, together all that are fitted */
export function refitKinds(
  train: readonly NetworkPoint[],
  before: KernelSum,
  groups: readonly (readonly string[])[],
  { scheme, padding }: Setting,
): KernelSum {
  const groupOf = new Map(groups.flatMap((names, at) => names.map((name) => [name, at] as const)));
  const { width } = scheme;
  const first = 1 + scheme.around.length;
  const rest: number[] = [];
  const rows = train.map(({ kernels, batch, around }) => {
    const row = [1, ...around, ...new Array<number>(groups.length * width).fill(0)];
    let other = 0;
    for (const kernel of kernels) {
      const at = groupOf.get(scheme.kindOf(kernel, batch));
      if (at === undefined) other += kernelTime(before.kinds, kernel, batch, { scheme, padding }).seconds;
      else scheme.features(kernel, batch, padding).forEach((value, j) => (row[first + at * width + j]! += value));
    }
    rest.push(other);
    return row;
  });
  const y = train.map(({ seconds }, i) => Math.max(seconds - rest[i]!, 0.01 * seconds));
  const found = robustNonNegative(rows, y);
  const refitted = groups.flatMap((names, at) => {
    const coefficients = found.slice(first + at * width, first + (at + 1) * width);
    return names.map((name) => [name, { ...before.kinds[name]!, coefficients }] as const);
  });
  return {
    sessionSeconds: found[0]!,
    aroundSeconds: found.slice(1, first),
    kinds: { ...before.kinds, ...Object.fromEntries(refitted) },
  };
}

/** The kinds with the kernels of the networks counted as calibrated. */
export function withBox(
  kinds: KernelSum["kinds"],
  networks: readonly NetworkPoint[],
  { scheme, padding }: Setting,
): KernelSum["kinds"] {
  const boxes = new Map(
    Object.entries(kinds).map(([name, { low, high }]) => [name, { low: [...low], high: [...high] }]),
  );
  for (const { kernels, batch } of networks)
    for (const kernel of kernels) {
      const box = boxes.get(scheme.kindOf(kernel, batch));
      if (box === undefined) continue;
      scheme.features(kernel, batch, padding).forEach((value, j) => {
        box.low[j] = Math.min(box.low[j]!, value);
        box.high[j] = Math.max(box.high[j]!, value);
      });
    }
  return Object.fromEntries(Object.entries(kinds).map(([name, kind]) => [name, { ...kind, ...boxes.get(name)! }]));
}

/** The kinds that networks have, with how well these are predicted. @param residuals of the networks, each predicted without it */
export function withErrors(
  kinds: KernelSum["kinds"],
  networks: readonly NetworkPoint[],
  { logResidual }: Residuals,
  scheme: KernelScheme,
): KernelSum["kinds"] {
  const errors = new Map<string, number[]>();
  for (const [i, network] of networks.entries())
    for (const kind of kindsOf(network, scheme))
      errors.set(kind, [...(errors.get(kind) ?? []), Math.abs(Math.exp(-logResidual[i]!) - 1)]);
  return Object.fromEntries(
    Object.entries(kinds).map(([name, kind]) => {
      const mine = errors.get(name);
      return [name, mine === undefined ? kind : { ...kind, mape: mean(mine), points: mine.length }];
    }),
  );
}
