/**
 * From measurements to a calibration: non-negative fits per kind on chains of equal kernels, then whole networks. Kernels take
 * another time in a network than in a chain of their like: networks either scale each kind or, where that predicts networks
 * not seen better, fit all coefficients anew (the kernel-sum model of spec latency 2 and C3), for all batches or by regime.
 */
import { OptionError } from "../../errors.ts";
import type { Residuals } from "../conformal.ts";
import { fuseKernels } from "../kernels.ts";
import { CALIBRATION_VERSION, type CpuCalibration, type KindFit, type Padding } from "../measured/calibration.ts";
import {
  countKinds,
  fitBest,
  kernelTime,
  type KernelSum,
  type NetworkPoint,
  NETWORKS_PER_KIND,
  outOfFold,
  refitKinds,
  type Setting,
  type UnitPoint,
  withBox,
  withErrors,
} from "../measured/kernel-sum.ts";
import { manyResults } from "../measured/units.ts";
import { mean } from "../metrics.ts";
import { networkOf } from "../network.ts";
import { nonNegativeLeastSquares, ridgeRegression } from "../nnls.ts";
import type { CpuTarget } from "../target.ts";
import { cpuScheme, plainScheme } from "./scheme.ts";

/** Ridge of the multipliers towards 1. */
const RIDGE = 0.02;

const paddings: readonly Padding[] = [
  { columns: 16, rows: 6 },
  { columns: 8, rows: 6 },
  { columns: 16, rows: 1 },
  { columns: 1, rows: 1 },
];

/** Features of a link: its kernels' added up. */
function linkFeatures({ kernels, batch }: UnitPoint, { scheme, padding }: Setting): number[] {
  const rows = kernels.map((kernel) => scheme.features(kernel, batch, padding));
  return rows[0]!.map((_, j) => rows.reduce((sum, row) => sum + row[j]!, 0));
}

function fitKind(points: readonly UnitPoint[], setting: Setting): KindFit {
  const rows = points.map((point) => linkFeatures(point, setting));
  const y = points.map(({ seconds }) => seconds);
  const coefficients = nonNegativeLeastSquares(rows, y);
  const single = points.flatMap(({ kernels, batch }) =>
    kernels.map((kernel) => setting.scheme.features(kernel, batch, setting.padding)),
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
  const scheme = plainScheme(target);
  const byKind = new Map<string, UnitPoint[]>();
  for (const unit of units) {
    if (unit.seconds <= 0) continue;
    const kind = scheme.kindOf(unit.kernels[0]!, unit.batch);
    byKind.set(kind, [...(byKind.get(kind) ?? []), unit]);
  }
  const products = [...byKind].filter(([kind]) => kind === "gemm" || kind === "matmul" || kind.startsWith("conv"));
  const errorWith = (padding: Padding): number =>
    products.reduce((sum, [, points]) => sum + fitKind(points, { scheme, padding }).mape, 0);
  const padding =
    products.length === 0
      ? paddings[0]!
      : paddings.reduce((best, next) => (errorWith(next) < errorWith(best) ? next : best));
  const kinds = Object.fromEntries(
    [...byKind]
      .filter(([, points]) => points.length >= 3)
      .map(([kind, points]) => [kind, fitKind(points, { scheme, padding })]),
  );

  if (Object.keys(kinds).length === 0)
    throw new OptionError(
      "OPTION_CALIBRATION",
      "longer chains of kernels do not take longer here: the machine is too busy to be measured. Calibrate when nothing else runs.",
    );
  const setting = { scheme, padding };
  const [slice] = fuseKernels(networkOf(manyResults(2)), scheme.rules);
  const resultSeconds = Math.max(0, slicedResultSeconds - kernelTime(kinds, slice!, 1, setting).seconds);
  // Chains say nothing of the rest around kernels.
  const aroundSeconds = scheme.around.map((_, j) => (j === 0 ? resultSeconds : 0));
  const regimes = { scheme: cpuScheme(target), padding };
  const found = fitNetworks(
    networks,
    { sessionSeconds: facts.sessionSeconds, aroundSeconds, kinds },
    { plain: setting, regimes },
  );
  return {
    version: CALIBRATION_VERSION,
    ...facts,
    threads: target.cpu.threads,
    sessionSeconds: found.sessionSeconds,
    aroundSeconds: found.aroundSeconds,
    padding,
    kinds: found.kinds,
    residuals: found.residuals,
  };
}

/** What whole networks say beyond the chains: of scaling the kinds and of fitting them anew what predicts networks better that
 * it had not seen. @returns also the residuals of those predictions */
function fitNetworks(
  networks: readonly NetworkPoint[],
  chains: KernelSum,
  { plain, regimes }: { readonly plain: Setting; readonly regimes: Setting },
): KernelSum & { readonly residuals: Residuals } {
  const { sum, residuals, ...found } = fitBest(networks, [
    { setting: plain, fit: (train) => scaleKinds(train, chains, plain) },
    ...[plain, regimes].map((each) => ({
      setting: each,
      fit: (train: readonly NetworkPoint[]) => refitSeen(train, chains, each),
    })),
  ]);
  const kinds = withErrors(withBox(sum.kinds, networks, found.setting), networks, residuals, found.setting.scheme);
  return { ...sum, kinds, residuals };
}

/** One multiplier per kind, one for the session and one for all around, ridge towards 1, relative errors. */
function scaleKinds(
  train: readonly NetworkPoint[],
  { sessionSeconds, aroundSeconds, kinds }: KernelSum,
  setting: Setting,
): KernelSum {
  const names = Object.keys(kinds);
  if (train.length < names.length + 2) return { sessionSeconds, aroundSeconds, kinds };
  const rows = train.map(({ kernels, batch, around }) => {
    const row = new Array<number>(names.length + 2).fill(0);
    row[0] = sessionSeconds;
    row[names.length + 1] = around.reduce((sum, count, j) => sum + count * aroundSeconds[j]!, 0);
    for (const kernel of kernels) {
      const at = names.indexOf(setting.scheme.kindOf(kernel, batch));
      const { seconds } = kernelTime(kinds, kernel, batch, setting);
      row[1 + (at < 0 ? Math.max(0, names.indexOf("cheap")) : at)]! += seconds;
    }
    return row;
  });
  const y = train.map(({ seconds }) => seconds);
  const found = ridgeRegression(rows, y, { weights: y.map((v) => 1 / v), ridge: RIDGE, prior: rows[0]!.map(() => 1) });
  const bounded = found.map((value) => Math.min(4, Math.max(0.25, value)));
  return {
    sessionSeconds: sessionSeconds * bounded[0]!,
    aroundSeconds: aroundSeconds.map((seconds) => seconds * bounded.at(-1)!),
    kinds: Object.fromEntries(
      names.map((name, i) => {
        const kind = kinds[name]!;
        return [name, { ...kind, coefficients: kind.coefficients.map((c) => c * bounded[i + 1]!) }];
      }),
    ),
  };
}

/** All coefficients of the kinds that networks are made of, from networks alone. Other kinds stay as chains have them. */
function refitSeen(train: readonly NetworkPoint[], chains: KernelSum, setting: Setting): KernelSum {
  const { scheme } = setting;
  const chainOf = (name: string): KindFit | undefined =>
    scheme.standIns(name).flatMap((like) => chains.kinds[like] ?? [])[0];
  const names = [...countKinds(train, scheme).keys()].filter((name) => chainOf(name) !== undefined);
  if (train.length < NETWORKS_PER_KIND * names.length) return chains;
  const kinds = { ...chains.kinds, ...Object.fromEntries(names.map((name) => [name, chainOf(name)!])) };
  return refitKinds(
    train,
    { ...chains, kinds },
    names.map((name) => [name]),
    setting,
  );
}
