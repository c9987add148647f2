/** From measurements to a calibration: non-negative fits per kind, a correction where it pays, multipliers on whole networks. */
import { OptionError } from "../../errors.ts";
import { fuseKernels, type Kernel } from "../kernels.ts";
import { networkOf } from "../network.ts";
import { nonNegativeLeastSquares, ridgeRegression } from "../nnls.ts";
import type { CpuTarget } from "../target.ts";
import { type CpuCalibration, CPU_CALIBRATION_VERSION, type KindFit } from "./calibration.ts";
import { kernelFeatures, kindOf, tableKey } from "./features.ts";
import { fitForest, forestValue, type Tree } from "./forest.ts";
import { manyResults } from "./units.ts";

/** A unit: the kernels of one link and what a link takes. */
export interface UnitPoint {
  readonly kernels: readonly Kernel[];
  readonly batch: number;
  readonly seconds: number;
}
/** A whole network. */
export interface NetworkPoint {
  readonly kernels: readonly Kernel[];
  readonly batch: number;
  readonly seconds: number;
}

type Padding = CpuCalibration["padding"];

/** Points of one kind from which a correction is tried, and by how much it must improve the error. */
const FOREST_FROM = 150;
const FOREST_GAIN = 0.1;
/** Ridge of the multipliers towards 1. */
const RIDGE = 0.02;

const paddings: readonly Padding[] = [
  { columns: 16, rows: 6 },
  { columns: 8, rows: 6 },
  { columns: 16, rows: 1 },
  { columns: 1, rows: 1 },
];

/** A kernel's seconds by its kind's fit. @returns also whether it lies inside the calibrated box */
export function kernelTime(
  fits: Readonly<Record<string, KindFit>>,
  kernel: Kernel,
  batch: number,
  cpu: CpuTarget["cpu"],
  padding: Padding,
): { readonly seconds: number; readonly inside: boolean } {
  const kind = kindOf(kernel);
  const fit = fits[kind] ?? fits[kind.replace("64", "")] ?? fits[fallback[kind] ?? "cheap"] ?? fits.cheap;
  if (fit === undefined) return { seconds: 0, inside: false };
  const x = kernelFeatures(kernel, batch, cpu, padding);
  let seconds = 0;
  for (let j = 0; j < x.length; j++) seconds += fit.coefficients[j]! * x[j]!;
  const inside = x.every((value, j) => value <= 1.5 * fit.high[j]!);
  if (inside && fit.forest) seconds *= Math.exp(forestValue(fit.forest, logs(x)));
  return { seconds: seconds * fit.multiplier, inside };
}

/** Where a kind was not measured itself. */
const fallback: Readonly<Record<string, string>> = {
  reduce: "cheap",
  copy: "cheap",
  dear: "activation",
  activation: "dear",
  matmul: "gemm",
};

const logs = (x: readonly number[]): number[] => x.map(Math.log1p);

/** Features of a link: its kernels' added up. */
function linkFeatures({ kernels, batch }: UnitPoint, cpu: CpuTarget["cpu"], padding: Padding): number[] {
  const rows = kernels.map((kernel) => kernelFeatures(kernel, batch, cpu, padding));
  return rows[0]!.map((_, j) => rows.reduce((sum, row) => sum + row[j]!, 0));
}

function fitKind(points: readonly UnitPoint[], cpu: CpuTarget["cpu"], padding: Padding): KindFit {
  const rows = points.map((point) => linkFeatures(point, cpu, padding));
  const y = points.map(({ seconds }) => seconds);
  const coefficients = nonNegativeLeastSquares(rows, y);
  const single = points.flatMap(({ kernels, batch }) =>
    kernels.map((kernel) => kernelFeatures(kernel, batch, cpu, padding)),
  );
  const linear = foldedErrors(points.length, (train) => {
    const b = nonNegativeLeastSquares(
      train.map((i) => rows[i]!),
      train.map((i) => y[i]!),
    );
    return (i) => Math.abs(dot(b, rows[i]!) / y[i]! - 1);
  });
  const corrected = points.length < FOREST_FROM ? undefined : correct(rows, y, linear);
  return {
    coefficients,
    multiplier: 1,
    low: coefficients.map((_, j) => Math.min(...single.map((x) => x[j]!))),
    high: coefficients.map((_, j) => Math.max(...single.map((x) => x[j]!))),
    ...(corrected === undefined ? {} : { forest: corrected.forest }),
    mape: corrected?.mape ?? linear,
    points: points.length,
  };
}

/** A forest on log(y / fit), if it improves the five-fold error by a tenth. */
function correct(
  rows: readonly (readonly number[])[],
  y: readonly number[],
  linear: number,
): { readonly forest: readonly Tree[]; readonly mape: number } | undefined {
  const features = rows.map(logs);
  const options = { trees: 60, depth: 3 };
  const residual = (b: readonly number[], i: number): number => Math.log(y[i]! / Math.max(dot(b, rows[i]!), 1e-12));
  const fitOn = (train: readonly number[]) => {
    const b = nonNegativeLeastSquares(
      train.map((i) => rows[i]!),
      train.map((i) => y[i]!),
    );
    const forest = fitForest(
      train.map((i) => features[i]!),
      train.map((i) => residual(b, i)),
      options,
    );
    return { b, forest };
  };
  const mape = foldedErrors(y.length, (train) => {
    const { b, forest } = fitOn(train);
    return (i) => Math.abs((dot(b, rows[i]!) * Math.exp(forestValue(forest, features[i]!))) / y[i]! - 1);
  });
  if (mape > (1 - FOREST_GAIN) * linear) return undefined;
  return { forest: fitOn(y.map((_, i) => i)).forest, mape };
}

function foldedErrors(n: number, fit: (train: readonly number[]) => (i: number) => number): number {
  let sum = 0;
  const all = Array.from({ length: n }, (_, i) => i);
  for (let fold = 0; fold < 5; fold++) {
    const train = all.filter((i) => i % 5 !== fold);
    if (train.length === 0) continue;
    const error = fit(train);
    for (const i of all) if (i % 5 === fold) sum += error(i);
  }
  return sum / n;
}

function dot(a: readonly number[], b: readonly number[]): number {
  return a.reduce((sum, value, j) => sum + value * b[j]!, 0);
}

/** Everything a calibration says, from its points. @param networks in random order: two thirds fit, the rest is held out */
export function fitCalibration(
  units: readonly UnitPoint[],
  networks: readonly NetworkPoint[],
  target: CpuTarget,
  {
    slicedResultSeconds,
    ...facts
  }: Pick<
    CpuCalibration,
    "date" | "host" | "engine" | "referenceSeconds" | "noiseCv" | "sessionSeconds" | "batches"
  > & {
    /** Seconds by which a call takes longer for each result and the slice that makes it. */
    readonly slicedResultSeconds: number;
  },
): CpuCalibration {
  const { cpu } = target;
  const byKind = new Map<string, UnitPoint[]>();
  for (const unit of units) {
    if (unit.seconds <= 0) continue;
    const kind = kindOf(unit.kernels[0]!);
    byKind.set(kind, [...(byKind.get(kind) ?? []), unit]);
  }
  const products = [...byKind].filter(([kind]) => kind === "gemm" || kind === "matmul" || kind.startsWith("conv"));
  const errorWith = (padding: Padding): number =>
    products.reduce((sum, [, points]) => sum + fitKind(points, cpu, padding).mape, 0);
  const padding =
    products.length === 0
      ? paddings[0]!
      : paddings.reduce((best, next) => (errorWith(next) < errorWith(best) ? next : best));
  const kinds = Object.fromEntries(
    [...byKind]
      .filter(([, points]) => points.length >= 3)
      .map(([kind, points]) => [kind, fitKind(points, cpu, padding)]),
  );

  if (Object.keys(kinds).length === 0)
    throw new OptionError(
      "OPTION_CALIBRATION",
      "longer chains of kernels do not take longer here: the machine is too busy to be measured. Calibrate when nothing else runs.",
    );
  const train = networks.filter((_, i) => i % 3 !== 2);
  const held = networks.filter((_, i) => i % 3 === 2);
  const { sessionSeconds, multipliers } = fitMultipliers(train, kinds, facts.sessionSeconds, cpu, padding);
  const scaled = Object.fromEntries(
    Object.entries(kinds).map(([kind, fit]) => [kind, { ...fit, multiplier: multipliers[kind] ?? 1 }]),
  );
  const predicted = held.map(({ kernels, batch }) =>
    kernels.reduce((sum, kernel) => sum + kernelTime(scaled, kernel, batch, cpu, padding).seconds, sessionSeconds),
  );
  const [slice] = fuseKernels(networkOf(manyResults(2)));
  return {
    version: CPU_CALIBRATION_VERSION,
    ...facts,
    threads: cpu.threads,
    sessionSeconds,
    resultSeconds: Math.max(0, slicedResultSeconds - kernelTime(scaled, slice!, 1, cpu, padding).seconds),
    padding,
    kinds: scaled,
    table: tableOf(units),
    residuals: { predicted, logResidual: held.map(({ seconds }, i) => Math.log(seconds / predicted[i]!)) },
  };
}

/** One multiplier per kind and one for the session, ridge towards 1, relative errors. */
function fitMultipliers(
  train: readonly NetworkPoint[],
  kinds: Readonly<Record<string, KindFit>>,
  sessionSeconds: number,
  cpu: CpuTarget["cpu"],
  padding: Padding,
): { readonly sessionSeconds: number; readonly multipliers: Readonly<Record<string, number>> } {
  const names = Object.keys(kinds);
  if (train.length < names.length + 1) return { sessionSeconds, multipliers: {} };
  const rows = train.map(({ kernels, batch }) => {
    const row = new Array<number>(names.length + 1).fill(0);
    row[0] = sessionSeconds;
    for (const kernel of kernels) {
      const at = names.indexOf(kindOf(kernel));
      const { seconds } = kernelTime(kinds, kernel, batch, cpu, padding);
      row[1 + (at < 0 ? Math.max(0, names.indexOf("cheap")) : at)]! += seconds;
    }
    return row;
  });
  const y = train.map(({ seconds }) => seconds);
  const found = ridgeRegression(rows, y, { weights: y.map((v) => 1 / v), ridge: RIDGE, prior: rows[0]!.map(() => 1) });
  const bounded = found.map((value) => Math.min(4, Math.max(0.25, value)));
  return {
    sessionSeconds: sessionSeconds * bounded[0]!,
    multipliers: Object.fromEntries(names.map((name, i) => [name, bounded[i + 1]!])),
  };
}

/** Exact geometries: links of one kernel. */
function tableOf(units: readonly UnitPoint[]): Record<string, number> {
  return Object.fromEntries(
    units.flatMap(({ kernels, batch, seconds }) =>
      kernels.length === 1 && seconds > 0 ? [[tableKey(kernels[0]!, batch), seconds] as const] : [],
    ),
  );
}
