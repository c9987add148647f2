/**
 * From devices and a latency budget to what a search may draw: the emulator that an architecture would become, with all
 * its members, scaling and statistics, is built as a graph and timed by the latency model of every device.
 */
import type { Schema } from "../data/index.ts";
import {
  emulatorGraph,
  type FieldCalibration,
  type LatencyInfo,
  type MemberForward,
  planHeads,
  type Scalers,
} from "../emulator/index.ts";
import type { Graph } from "../graph/index.ts";
import {
  impossibleBudget,
  type LatencyModel as DeviceModel,
  measureHere,
  meetsBudget,
  unreachedBudget,
} from "../hardware/index.ts";
import { OptionError } from "../errors.ts";
import type { Constraint, LatencyModel } from "../search/index.ts";
import {
  type Architecture,
  architectureId,
  canonical,
  cheapest,
  compact,
  headSize,
  componentsOf,
  macs,
  type SuperArchitecture,
} from "../space/index.ts";

/** Devices that the emulator is to run on, and how fast. */
export interface Deployment {
  readonly devices: readonly DeviceModel[];
  /** Rows per call. Default 1. */
  readonly batch?: number;
  /** Seconds of one call: the upper end of the predicted interval has to keep it, on every device or, where there is one for each, on
   * its own. Default: none. */
  readonly budget?: number | readonly number[];
  /** Whether slower architectures are trained all the same, ranked behind by their excess. Default false: never trained. */
  readonly soft?: boolean;
  /** Whether to time the finished emulator where a device is this machine. The bytes of the file then hold what the clock
   * said, the only ones that the seed does not decide. Default true. */
  readonly measure?: boolean;
}

/** What an emulator to come is like, whatever its architecture. */
export interface Shape {
  readonly schema: Schema;
  readonly columns: number;
  readonly scalers: Scalers;
  readonly space: SuperArchitecture;
  readonly members: number;
  readonly level: number;
}

/** The emulator of one architecture, before any training: its graph is that of the emulator to come, its numbers are not. */
function blueprint(shape: Shape, architecture: Architecture): Graph {
  const { schema, scalers, space, members } = shape;
  const { places } = planHeads(schema);
  const network = compact(space, architecture);
  const weights = new Float32Array(network.layout.size).fill(0.1);
  const member: MemberForward = (b, x) => network.forward(b, x, b.constant(weights, [weights.length]));
  const widths = space.heads.map(headSize);
  return emulatorGraph({
    columns: shape.columns,
    inputScaler: scalers.input,
    level: shape.level,
    fields: schema.fields.map((spec, i) => {
      const place = places[i];
      const scaler = scalers.fields[i];
      if (place === undefined || scaler === undefined) throw new RangeError("internal: a field without a place");
      const each = Array.from({ length: place.size }, (_, j) => 0.1 + 0.001 * j);
      const quantiles = [{ level: shape.level, factor: 2 }];
      const calibration: FieldCalibration = { spreadFactor: [1.5], floor: each, noise: each.map(() => 0), quantiles };
      return { spec, scaler, place, calibration };
    }),
    members: Array.from({ length: members }, () => member),
    bases: componentsOf(space),
    trends: widths.map((size) => ({
      weights: new Float64Array(space.inputs * size).fill(0.1),
      bias: new Float64Array(size).fill(0.1),
      scale: new Float64Array(size).fill(0.5),
    })),
  });
}

/** The devices with their budgets, seconds. @throws OptionError where some have none */
function withBudgets({
  devices,
  budget,
}: Deployment): readonly { readonly device: DeviceModel; readonly budget: number | undefined }[] {
  if (typeof budget !== "object") return devices.map((device) => ({ device, budget }));
  if (budget.length !== devices.length)
    throw new OptionError(
      "OPTION_BUDGET",
      `${budget.length} budgets for ${devices.length} targets. Give one for all, or one for each in their order.`,
    );
  return devices.map((device, i) => ({ device, budget: budget[i] }));
}

/** Seconds of the tightest budget; undefined without one. Latencies on devices of other budgets are compared with it in proportion. */
export function tightestBudget(deployment: Deployment): number | undefined {
  const budgets = withBudgets(deployment).flatMap(({ budget }) => budget ?? []);
  return budgets.length === 0 ? undefined : Math.min(...budgets);
}

/** Milliseconds of one call of the emulator, upper end of the interval, on the slowest device: that which comes nearest to its budget, where
 * budgets differ (see {@link tightestBudget}). Infinite where it does not fit a device. */
export function emulatorLatency(deployment: Deployment, shape: Shape): LatencyModel {
  const known = new Map<string, number>();
  const { batch = 1 } = deployment;
  const tightest = tightestBudget(deployment) ?? 1;
  const devices = withBudgets(deployment);
  return {
    unit: "ms",
    of(architecture) {
      const plain = canonical(shape.space, architecture);
      const id = architectureId(plain);
      let worst = known.get(id);
      if (worst === undefined) {
        const graph = blueprint(shape, plain);
        const each = devices.map(({ device, budget = tightest }) => {
          const { fits, latency } = device.predict(graph, batch);
          return fits === false ? Infinity : 1000 * latency.hi * (tightest / budget);
        });
        worst = Math.max(...each);
        known.set(id, worst);
      }
      return worst;
    },
  };
}

/** Seconds of the cheapest emulator on the slowest device, upper end; infinite where it does not fit one. */
export function smallestReachable(deployment: Deployment, shape: Shape): number {
  return emulatorLatency(deployment, shape).of(cheapest(shape.space)) / 1000;
}

/** Says at once that a limit is out of reach.
 * @returns a warning where a soft budget is   @throws OptionError with the least that is within reach where a hard limit is */
export function checkReachable(
  { deployment, constraint }: { readonly deployment?: Deployment; readonly constraint?: Constraint },
  shape: Shape,
): string | undefined {
  const { space } = shape;
  if (constraint?.kind === "hard") {
    const least = macs(space, cheapest(space));
    if (least > constraint.limit)
      throw new OptionError(
        "OPTION_BUDGET",
        `no network of these inputs and outputs keeps ${constraint.limit} multiply-accumulates: the smallest takes ${least}. Raise --max-macs to at least that.`,
      );
  }
  if (deployment?.budget === undefined) return undefined;
  const { batch = 1, soft = false } = deployment;
  const missed = withBudgets(deployment).flatMap(({ device, budget = Infinity }) => {
    const least = smallestReachable({ devices: [device], batch }, shape);
    return least > budget ? [{ id: device.target.id, budget, least }] : [];
  });
  const [first, ...others] = missed;
  if (first === undefined) return undefined;
  const { budget, least } = others.reduce((a, b) => (b.least / b.budget > a.least / a.budget ? b : a), first);
  const names = missed
    .filter((each) => each.budget === budget)
    .map(({ id }) => id)
    .join(" and ");
  if (soft) return unreachedBudget(budget, least, names);
  throw impossibleBudget(budget, least, names);
}

/** What the emulator file says of its latency: one entry per device, measured where that is this machine. */
export async function latencyInfo(deployment: Deployment, graph: Graph, measure: boolean): Promise<LatencyInfo[]> {
  const { batch = 1 } = deployment;
  const entries: LatencyInfo[] = [];
  // One after the other: what is timed together is slower.
  for (const { device, budget } of withBudgets(deployment)) {
    const prediction = device.predict(graph, batch);
    const { p50, lo, hi, coverage } = prediction.latency;
    const measured = measure ? await measureHere(device.target, graph, batch) : undefined;
    entries.push({
      target: prediction.target,
      targetHash: prediction.targetHash,
      batch,
      predictedMs: { p50: 1000 * p50, low: 1000 * lo, high: 1000 * hi, coverage },
      ...(measured === undefined || "absent" in measured
        ? {}
        : { measuredMs: { p50: 1000 * measured.p50, p95: 1000 * measured.p95, host: measured.host } }),
      ...(prediction.fits === undefined ? {} : { fits: prediction.fits }),
      ...(budget === undefined ? {} : { budgetMs: 1000 * budget, meetsBudget: meetsBudget(prediction, budget) }),
    });
  }
  return entries;
}
