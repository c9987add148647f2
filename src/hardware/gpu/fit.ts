/**
 * From measured networks to a calibration of a graphics processor: the kernel sum, fitted to whole networks alone. A call
 * takes milliseconds that chains of kernels say little of. Where networks are few, kinds share their coefficients.
 */
import { type Calibration, CALIBRATION_VERSION, type KindFit, type Padding } from "../measured/calibration.ts";
import {
  countKinds,
  fitBest,
  type KernelSum,
  type NetworkPoint,
  NETWORKS_PER_KIND,
  refitKinds,
  type Way,
  withBox,
  withErrors,
} from "../measured/kernel-sum.ts";
import { gpuScheme, isCrossing, isOnHost } from "./scheme.ts";

/** Tiles that are tried: an adapter does not tell its own. */
const paddings: readonly Padding[] = [
  { columns: 1, rows: 1 },
  { columns: 1, rows: 8 },
  { columns: 16, rows: 32 },
  { columns: 32, rows: 64 },
];

/** Everything a calibration says. @param networks in random order   @param others measured for what few networks have: many
 * results. They are fitted to and not predicted */
export function fitGpu(
  networks: readonly NetworkPoint[],
  others: readonly NetworkPoint[],
  facts: Pick<Calibration, "date" | "host" | "engine" | "referenceSeconds" | "noiseCv" | "batches">,
): Calibration {
  const counts = countKinds(networks, gpuScheme);
  const names = [...countKinds([...networks, ...others], gpuScheme).keys()].sort();
  const enough = names.filter((name) => (counts.get(name) ?? 0) >= NETWORKS_PER_KIND);
  const own = groupBy(names, (name) => gpuScheme.standIns(name).find((kind) => enough.includes(kind)) ?? name);
  const few = groupBy(names, (name) => (isOnHost(name) ? "processor" : isCrossing(name) ? "crossing" : "device"));
  const ways = paddings.flatMap((padding) =>
    [own, few].map((groups): Way => {
      const setting = { scheme: gpuScheme, padding };
      return {
        setting,
        fit: (train) =>
          refitKinds(
            [...train, ...others],
            emptySum(names),
            // Coefficients that few networks tell of are those of chance.
            train.length < NETWORKS_PER_KIND * groups.length ? few : groups,
            setting,
          ),
      };
    }),
  );
  const { sum, setting, residuals } = fitBest(networks, ways);
  const kinds = withBox(sum.kinds, [...networks, ...others], setting);
  return {
    version: CALIBRATION_VERSION,
    ...facts,
    sessionSeconds: sum.sessionSeconds,
    aroundSeconds: sum.aroundSeconds,
    padding: setting.padding,
    kinds: withErrors(kinds, networks, residuals, gpuScheme),
    residuals,
  };
}

function groupBy(names: readonly string[], groupOf: (name: string) => string): readonly (readonly string[])[] {
  const groups = new Map<string, string[]>();
  for (const name of names) groups.set(groupOf(name), [...(groups.get(groupOf(name)) ?? []), name]);
  return [...groups.values()];
}

/** A sum in which nothing takes any time. */
function emptySum(names: readonly string[]): KernelSum {
  const all = (value: number): number[] => new Array<number>(gpuScheme.width).fill(value);
  const fit: KindFit = { coefficients: all(0), low: all(Number.POSITIVE_INFINITY), high: all(0), mape: 0, points: 0 };
  return {
    sessionSeconds: 0,
    aroundSeconds: gpuScheme.around.map(() => 0),
    kinds: Object.fromEntries(names.map((name) => [name, fit])),
  };
}
