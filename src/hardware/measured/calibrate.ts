/**
 * The protocol of every calibration (spec latency 2.3): chains of kernels and whole networks in random order until the time is
 * up, each timed in turn with a reference network. Stops and resumes: its state is plain data.
 */
import { OptionError } from "../../errors.ts";
import type { Graph } from "../../graph/index.ts";
import { makeRng, type Rng } from "../../rng.ts";
import { fuseKernels } from "../kernels.ts";
import { networkOf } from "../network.ts";
import { withConstantWeights } from "./constant-weights.ts";
import type { NetworkPoint } from "./kernel-sum.ts";
import { median } from "../metrics.ts";
import { type Measurement, measureGraph, type MeasureOptions, withCall } from "./measure.ts";
import type { KernelScheme } from "./scheme.ts";
import { chainGraph, drawUnit, randomNetwork, referenceNetwork, unitKinds } from "./units.ts";

/** Of {@link CalibrationState}: another draws other networks, whose times are not these. */
export const STATE_VERSION = 2;

/** What has been measured so far; saved and given back to resume. */
export interface CalibrationState {
  readonly version: typeof STATE_VERSION;
  readonly seed: number;
  readonly quick: boolean;
  readonly host: string;
  readonly threads: number;
  /** Default ONNX Runtime. */
  readonly engine?: string;
  /** Of the engine. Default `cpu`. */
  readonly provider?: string;
  /** Seconds spent measuring. */
  spent: number;
  /** By the task's name. Without a plan's `steady` the seconds are multiples of the reference network's. */
  done: Record<string, Measurement>;
}

export interface CalibrateOptions {
  /** A shorter plan: three minutes instead of thirty on a processor, one instead of five on a graphics processor. */
  readonly quick?: boolean;
  /** Caps the time, seconds; default that of the plan. */
  readonly seconds?: number;
  readonly seed?: number;
  /** Goes on from here. */
  readonly state?: CalibrationState;
  /** Called every few measurements with what has been measured so far. */
  readonly save?: (state: CalibrationState) => Promise<void>;
  /** @param fraction of the time that is spent */
  readonly progress?: (fraction: number, note: string) => void;
  /** Processor and cores, date, and engine, for the record. */
  readonly host: string;
  readonly date: string;
  readonly engine: string;
  /** Monotonic, milliseconds. */
  readonly now?: () => number;
  readonly stopped?: () => boolean;
  /** Draws the whole networks: such as will be asked about. Its inputs without rows are weights. Default: trunks with skips,
   * some with a decoder, which need no super-architecture. */
  readonly draw?: (rng: Rng) => Graph;
  /** Replaces the timing, for tests. */
  readonly measure?: typeof measureGraph;
}

/** What is measured on a class of devices. */
export interface Plan {
  readonly seconds: number;
  /** Chains of each kind, and their links. */
  readonly units: number;
  readonly chain: readonly number[];
  readonly networks: number;
  readonly batches: readonly number[];
  /** Batch of the network of that number. */
  batchOf(i: number): number;
  /** Measured first, by name. */
  readonly first: readonly { readonly name: string; readonly batch: number; readonly graph: Graph }[];
  readonly measure: MeasureOptions;
  /** How the reference network itself is timed beforehand; of its blocks the faster ones count (p10), the machine left to
   * itself. Without it, what is timed beside it are multiples. */
  readonly steady?: MeasureOptions;
  /** Fewest chains and whole networks that a calibration is made of. */
  readonly fewest: { readonly chains: number; readonly networks: number };
  /** So many times the seconds may be spent to have the fewest. */
  readonly overtime: number;
  /** A network that would take longer than this share of the time is left out. Default: none is. */
  readonly longest?: number;
}

export interface Measured {
  readonly state: CalibrationState;
  /** The whole networks, by number. */
  readonly drawn: (i: number) => Graph;
}

interface Task {
  readonly name: string;
  /** Measurements by name; all of them or, where one fails or takes too long, none. */
  run(options: MeasureOptions): Promise<Record<string, Measurement>>;
}

const SAVE_EVERY = 20;

/** What runs graphs, and where. */
type Device = Required<Pick<MeasureOptions, "threads">> & Pick<MeasureOptions, "engine" | "provider">;

/** Measures by a plan on this machine. @param device where the engine runs   @throws OptionError if the time was too short */
export async function measureByPlan(plan: Plan, device: Device, options: CalibrateOptions): Promise<Measured> {
  const { quick = false, seed = 1, progress, now = () => performance.now(), save, measure = measureGraph } = options;
  const limit = options.seconds ?? plan.seconds;
  const state = options.state ?? {
    version: STATE_VERSION,
    seed,
    quick,
    host: options.host,
    ...device,
    spent: 0,
    done: {},
  };
  checkState(state, device, options, quick);
  const settings = { ...plan.measure, ...device, now };
  const drawn = networksOf(state.seed, options);
  const isAffordable = makeGuard(plan, limit, state);
  const tasks = tasksOf(plan, state.seed, measure, drawn, isAffordable);
  const begun = now();
  const before = state.spent;
  const isOver = (): boolean => {
    state.spent = before + (now() - begun) / 1e3;
    if (options.stopped?.() === true) return true;
    return state.spent > limit && (state.spent > plan.overtime * limit || isEnough(countPoints(state), plan));
  };
  const timeOnce = async (name: string, run: () => Promise<Measurement>): Promise<Measurement> =>
    (state.done[name] ??= await run());
  await withReference(settings, options, async (call) => {
    const { steady } = plan;
    const seconds =
      steady === undefined
        ? 1
        : (await timeOnce("reference", () => measure(referenceNetwork(), 1, { ...settings, ...steady }))).p10;
    const beside = { ...settings, yardstick: { call, seconds } };
    for (const { name, graph, batch } of plan.first) await timeOnce(name, () => measure(graph, batch, beside));
    const isDone = ({ name }: Task): boolean => Object.keys(state.done).some((key) => key.startsWith(name));
    const left = tasks.filter((task) => !isDone(task));
    let done = tasks.length - left.length;
    const late: Task[] = [];
    for (const [i, task] of left.entries()) {
      if (isOver()) break;
      const times = await task.run(beside);
      if (Object.keys(times).length === 0) late.push(task);
      else {
        Object.assign(state.done, times);
        done++;
      }
      progress?.(Math.min(1, state.spent / limit), `${done} of ${tasks.length} measured`);
      if (i % SAVE_EVERY === 0) await save?.(state);
    }
    // What seemed to take too long may not, by the rates that were found since.
    for (const task of late) {
      if (isOver()) break;
      Object.assign(state.done, await task.run(beside));
    }
    await save?.(state);
  });
  if (!isEnough(countPoints(state), plan))
    throw new OptionError(
      "OPTION_CALIBRATION",
      `only ${Object.keys(state.done).length} of ${tasks.length} measurements were made, too few to fit. Give it more time, or go on with --resume.`,
    );
  progress?.(1, "fitting");
  return { state, drawn };
}

/** Keeps the reference network ready all the while. On a graphics processor that also keeps the adapter, and with it all
 * compiled shaders: they would go with the last session. */
function withReference(
  settings: MeasureOptions,
  { measure }: CalibrateOptions,
  use: (call: () => Promise<void>) => Promise<void>,
): Promise<void> {
  return measure === undefined ? withCall(referenceNetwork(), 1, settings, use) : use(() => Promise.resolve());
}

function checkState(
  state: CalibrationState,
  { threads, engine, provider }: Device,
  options: CalibrateOptions,
  quick: boolean,
): void {
  if (state.host !== options.host)
    throw new OptionError(
      "OPTION_RESUME",
      `the calibration to resume was begun on another machine (${state.host}; this is ${options.host}). Start anew without --resume.`,
    );
  if (state.threads !== threads || state.quick !== quick || state.engine !== engine || state.provider !== provider)
    throw new OptionError(
      "OPTION_RESUME",
      `the calibration to resume was begun on ${state.engine ?? state.provider ?? "cpu"} with ${state.threads} threads${state.quick ? " and --quick" : ""}. Give the same options, or start anew without --resume.`,
    );
}

/** The whole networks of a calibration, by number. */
function networksOf(seed: number, { draw = randomNetwork }: CalibrateOptions): (i: number) => Graph {
  const rng = makeRng(seed);
  return (i) => withConstantWeights(draw(rng.fork(`network ${i}`)));
}

/** Whether a network can be timed within the plan's share of the time, by the best rate of those measured before. */
function makeGuard(plan: Plan, limit: number, { done }: CalibrationState): Guard {
  if (plan.longest === undefined) return { allows: () => true, saw: () => undefined };
  const longest = limit * plan.longest;
  let rate = 0;
  const saw = (graph: Graph, batch: number, { seconds, yardstick = 1 }: Measurement): void => {
    rate = Math.max(rate, (batch * workOf(graph)) / (seconds * yardstick));
  };
  return {
    allows(graph, batch) {
      if (rate === 0)
        for (const { name, graph, batch } of plan.first) if (done[name] !== undefined) saw(graph, batch, done[name]);
      return batch * workOf(graph) <= rate * longest;
    },
    saw,
  };
}

interface Guard {
  allows(graph: Graph, batch: number): boolean;
  saw(graph: Graph, batch: number, measured: Measurement): void;
}

/** Multiply-accumulates and values of one sample. */
function workOf(graph: Graph): number {
  return networkOf(graph).operations.reduce((sum, { macs, elements }) => sum + macs + elements, 0);
}

/** All measurements in the random order of the seed; a task's name does not depend on the order. */
function tasksOf(
  plan: Plan,
  seed: number,
  measure: typeof measureGraph,
  drawn: (i: number) => Graph,
  guard: Guard,
): Task[] {
  const rng = makeRng(seed);
  const tasks: Task[] = [];
  for (const kind of unitKinds)
    for (let i = 0; i < plan.units; i++)
      // Every second unit at batch 1 only: what most emulators are asked for.
      for (const batch of i % 2 === 0 ? plan.batches : plan.batches.slice(0, 1)) {
        const name = `unit|${kind}|${i}|${batch}|`;
        const unit = drawUnit(kind, rng.fork(`unit ${kind} ${i}`));
        tasks.push({
          name,
          async run(options) {
            const times: Record<string, Measurement> = {};
            for (const links of plan.chain)
              times[`${name}${links}`] = await measure(chainGraph(unit, links, rng.fork(name)), batch, options);
            return times;
          },
        });
      }
  const addNetwork = (name: string, i: number, batch: number): void => {
    tasks.push({
      name,
      async run(options) {
        const graph = drawn(i);
        if (!guard.allows(graph, batch)) return {};
        const measured = await measure(graph, batch, options);
        guard.saw(graph, batch, measured);
        return { [name]: measured };
      },
    });
  };
  for (let i = 0; i < plan.networks; i++) addNetwork(`network|${i}|`, i, plan.batchOf(i));
  for (let i = 0; i < Math.min(40, plan.networks); i += 2) addNetwork(`again|${i}|`, i, plan.batchOf(i));
  return rng.fork("order").shuffle(tasks);
}

interface Points {
  readonly chains: number;
  readonly networks: number;
}

/** Chains of at least two lengths, and networks. */
function countPoints({ done }: CalibrationState): Points {
  const lengths = new Map<string, number>();
  let networks = 0;
  for (const name of Object.keys(done)) {
    if (name.startsWith("network|")) networks++;
    if (!name.startsWith("unit|")) continue;
    const unit = name.slice(0, name.lastIndexOf("|"));
    lengths.set(unit, (lengths.get(unit) ?? 0) + 1);
  }
  return { chains: [...lengths.values()].filter((n) => n >= 2).length, networks };
}

function isEnough({ chains, networks }: Points, { fewest }: Plan): boolean {
  return chains >= fewest.chains && networks >= fewest.networks;
}

/** The networks that were measured, for the fit. @param unit seconds of one of the measurements' seconds, default 1 */
export function networkPoints({ state, drawn }: Measured, plan: Plan, scheme: KernelScheme, unit = 1): NetworkPoint[] {
  const points: NetworkPoint[] = [];
  const slowest = MOST_SLOW * median(Object.values(state.done).flatMap(({ yardstick = [] }) => yardstick));
  for (let i = 0; i < plan.networks; i++) {
    const measured = state.done[`network|${i}|`];
    if (measured === undefined || (measured.yardstick ?? 0) > slowest) continue;
    points.push(pointOf(drawn(i), plan.batchOf(i), unit * measured.seconds, scheme));
  }
  return points;
}

/** Beside what slows the yardstick more than so many times, as calls of seconds do by what they leave to clean up, its time is no
 * measure of theirs: under TensorFlow.js three such networks of 604 were a tenth of those with an image, and came out at a sixth. */
const MOST_SLOW = 2;

/** A network that was measured. */
export function pointOf(graph: Graph, batch: number, seconds: number, scheme: KernelScheme): NetworkPoint {
  const network = networkOf(graph);
  const kernels = fuseKernels(network, scheme.rules);
  return { kernels, batch, seconds, around: scheme.around.map(({ count }) => count(network, kernels)) };
}

/** Coefficient of variation of the networks that were measured twice. */
export function repeatCv({ state: { done } }: Measured, { networks }: Plan): number {
  const ratios: number[] = [];
  for (let i = 0; i < networks; i++) {
    const [first, again] = [done[`network|${i}|`], done[`again|${i}|`]];
    if (first !== undefined && again !== undefined) ratios.push(Math.log(again.seconds / first.seconds));
  }
  return Math.sqrt(ratios.reduce((sum, r) => sum + r * r, 0) / Math.max(1, ratios.length) / 2);
}
