/**
 * From measurements to a calibration: non-negative fits per kind on chains of equal kernels, then whole networks. Kernels take
 * another time in a network than in a chain of their like: networks either scale each kind or, where that predicts networks
 * not seen better, fit all coefficients anew (the kernel-sum model of spec latency 2 and C3).
 */
import { OptionError } from "../../errors.ts";
import type { Residuals } from "../conformal.ts";
import { fuseKernels, type Kernel } from "../kernels.ts";
import { mean } from "../metrics.ts";
import { networkOf } from "../network.ts";
import { nonNegativeLeastSquares, ridgeRegression } from "../nnls.ts";
import type { CpuTarget } from "../target.ts";
import { type CpuCalibration, CPU_CALIBRATION_VERSION, type KindFit } from "./calibration.ts";
import { featureNames, kernelFeatures, kindOf } from "./features.ts";
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
  return { seconds, inside: x.every((value, j) => value <= 1.5 * fit.high[j]!) };
}

/** Where a kind was not measured itself. */
const fallback: Readonly<Record<string, string>> = {
  reduce: "cheap",
  copy: "cheap",
  dear: "activation",
  activation: "dear",
  matmul: "gemm",
};

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
  return {
    coefficients,
    low: coefficients.map((_, j) => Math.min(...single.map((x) => x[j]!))),
    high: coefficients.map((_, j) => Math.max(...single.map((x) => x[j]!))),
    mape: mean(
      outOfFold(points.length, (train) => {
        const b = nonNegativeLeastSquares(
          train.map((i) => rows[i]!),
          train.map((i) => y[i]!),
        );
        return (i) => Math.abs(dot(b, rows[i]!) / y[i]! - 1);
      }),
    ),
    points: points.length,
  };
}

/** A value for each of n points from what was fitted without its fold, of five. */
function outOfFold(n: number, fit: (train: readonly number[]) => (i: number) => number): number[] {
  const all = Array.from({ length: n }, (_, i) => i);
  const values = new Array<number>(n).fill(0);
  for (let fold = 0; fold < 5; fold++) {
    const train = all.filter((i) => i % 5 !== fold);
    if (train.length === 0) continue;
    const value = fit(train);
    for (const i of all) if (i % 5 === fold) values[i] = value(i);
  }
  return values;
}

function dot(a: readonly number[], b: readonly number[]): number {
  return a.reduce((sum, value, j) => sum + value * b[j]!, 0);
}

/** Everything a calibration says, from its points. @param networks in random order */
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
  const found = fitNetworks(networks, { sessionSeconds: facts.sessionSeconds, kinds }, cpu, padding);
  const seen = withBox(found.kinds, networks, cpu, padding);
  const [slice] = fuseKernels(networkOf(manyResults(2)));
  return {
    version: CPU_CALIBRATION_VERSION,
    ...facts,
    threads: cpu.threads,
    sessionSeconds: found.sessionSeconds,
    resultSeconds: Math.max(0, slicedResultSeconds - kernelTime(seen, slice!, 1, cpu, padding).seconds),
    padding,
    kinds: seen,
    residuals: found.residuals,
  };
}

/** What predicts a network: its session and its kernels. */
interface Sum {
  readonly sessionSeconds: number;
  readonly kinds: Readonly<Record<string, KindFit>>;
}

/** What whole networks say beyond the chains: of scaling the kinds and of fitting them anew what predicts networks better that
 * it had not seen. @returns also the residuals of those predictions */
function fitNetworks(
  networks: readonly NetworkPoint[],
  chains: Sum,
  cpu: CpuTarget["cpu"],
  padding: Padding,
): Sum & { readonly residuals: Residuals } {
  const ways = [scaleKinds, refitKinds].map(
    (way) => (points: readonly NetworkPoint[]) => way(points, chains, cpu, padding),
  );
  const seconds = ({ sessionSeconds, kinds }: Sum, { kernels, batch }: NetworkPoint): number =>
    kernels.reduce((sum, kernel) => sum + kernelTime(kinds, kernel, batch, cpu, padding).seconds, sessionSeconds);
  const judged = ways.map((way) => {
    const predicted = outOfFold(networks.length, (train) => {
      const sum = way(train.map((i) => networks[i]!));
      return (i) => seconds(sum, networks[i]!);
    });
    const logResidual = networks.map((network, i) => Math.log(network.seconds / predicted[i]!));
    return { way, error: mean(logResidual.map(Math.abs)), residuals: { predicted, logResidual } };
  });
  const { way, residuals } = judged.reduce((best, next) => (next.error < best.error ? next : best));
  return { ...way(networks), residuals };
}

/** One multiplier per kind and one for the session, ridge towards 1, relative errors. */
function scaleKinds(
  train: readonly NetworkPoint[],
  { sessionSeconds, kinds }: Sum,
  cpu: CpuTarget["cpu"],
  padding: Padding,
): Sum {
  const names = Object.keys(kinds);
  if (train.length < names.length + 1) return { sessionSeconds, kinds };
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
    kinds: Object.fromEntries(
      names.map((name, i) => {
        const kind = kinds[name]!;
        return [name, { ...kind, coefficients: kind.coefficients.map((c) => c * bounded[i + 1]!) }];
      }),
    ),
  };
}

/** So many networks tell all about one kind. */
const NETWORKS_PER_KIND = 5;

/** All coefficients of the kinds that networks are made of, from networks alone. Other kinds stay as chains have them. */
function refitKinds(train: readonly NetworkPoint[], chains: Sum, cpu: CpuTarget["cpu"], padding: Padding): Sum {
  const names = Object.keys(chains.kinds).filter((name) =>
    train.some(({ kernels }) => kernels.some((kernel) => kindOf(kernel) === name)),
  );
  if (train.length < NETWORKS_PER_KIND * names.length) return chains;
  const width = featureNames.length;
  const rest: number[] = [];
  const rows = train.map(({ kernels, batch }) => {
    const row = new Array<number>(1 + names.length * width).fill(0);
    row[0] = 1;
    let other = 0;
    for (const kernel of kernels) {
      const at = names.indexOf(kindOf(kernel));
      if (at < 0) other += kernelTime(chains.kinds, kernel, batch, cpu, padding).seconds;
      else kernelFeatures(kernel, batch, cpu, padding).forEach((value, j) => (row[1 + at * width + j]! += value));
    }
    rest.push(other);
    return row;
  });
  const y = train.map(({ seconds }, i) => Math.max(seconds - rest[i]!, 0.01 * seconds));
  const found = nonNegativeLeastSquares(rows, y);
  const refitted = names.map((name, i) => {
    const coefficients = found.slice(1 + i * width, 1 + (i + 1) * width);
    return [name, { ...chains.kinds[name]!, coefficients }] as const;
  });
  return { sessionSeconds: found[0]!, kinds: { ...chains.kinds, ...Object.fromEntries(refitted) } };
}

/** The kinds with the kernels of the networks counted as calibrated. */
function withBox(
  kinds: Readonly<Record<string, KindFit>>,
  networks: readonly NetworkPoint[],
  cpu: CpuTarget["cpu"],
  padding: Padding,
): Readonly<Record<string, KindFit>> {
  const boxes = new Map(
    Object.entries(kinds).map(([name, { low, high }]) => [name, { low: [...low], high: [...high] }]),
  );
  for (const { kernels, batch } of networks)
    for (const kernel of kernels) {
      const box = boxes.get(kindOf(kernel));
      if (box === undefined) continue;
      kernelFeatures(kernel, batch, cpu, padding).forEach((value, j) => {
        box.low[j] = Math.min(box.low[j]!, value);
        box.high[j] = Math.max(box.high[j]!, value);
      });
    }
  return Object.fromEntries(Object.entries(kinds).map(([name, kind]) => [name, { ...kind, ...boxes.get(name)! }]));
}
