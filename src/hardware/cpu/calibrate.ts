/**
 * Calibration of this machine's processor (spec latency 2.3): times chains of kernels and whole networks in random order
 * until the time is up, each in turn with a reference network, and fits. Stops and resumes: its state is plain data.
 */
import { InternalError, OptionError } from "../../errors.ts";
import type { Graph } from "../../graph/index.ts";
import { makeRng, type Rng } from "../../rng.ts";
import { fuseKernels } from "../kernels.ts";
import { networkOf } from "../network.ts";
import { fitLine } from "../line.ts";
import type { CpuTarget } from "../target.ts";
import { fitCalibration, type NetworkPoint, type UnitPoint } from "./fit.ts";
import { type Measurement, measureGraph, type MeasureOptions, withCall } from "./measure.ts";
import { withConstantWeights } from "./optimised.ts";
import {
  chainGraph,
  drawUnit,
  emptyNetwork,
  manyResults,
  randomNetwork,
  referenceNetwork,
  unitKinds,
} from "./units.ts";

/** What has been measured so far; saved and given back to resume. */
export interface CalibrationState {
  readonly version: 1;
  readonly seed: number;
  readonly quick: boolean;
  readonly host: string;
  readonly threads: number;
  /** Seconds spent measuring. */
  spent: number;
  /** By the task's name. */
  done: Record<string, Measurement>;
}

export interface CalibrateOptions {
  /** Three minutes instead of thirty. */
  readonly quick?: boolean;
  /** Caps the time, seconds; default 1800, quick 180. */
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

interface Task {
  readonly name: string;
  /** Measurements by name; all of them or, where one fails, none. */
  run(options: MeasureOptions): Promise<Record<string, Measurement>>;
}

const SAVE_EVERY = 20;
/** How the reference network itself is timed. Of its blocks the faster ones count (p10): the machine left to itself. */
const steady = { warmRuns: 50, warmSeconds: 0.2, blocks: 40, blockSeconds: 0.02, retries: 0 } as const;
/** Results of the networks that tell what handing one over costs. */
const resultCounts = [2, 32, 128] as const;
/** Fewest chains and fewest whole networks that a calibration is made of. */
const FEWEST = 12;

interface Plan {
  readonly seconds: number;
  readonly units: number;
  readonly networks: number;
  readonly batches: readonly number[];
  readonly chain: readonly number[];
  readonly measure: MeasureOptions;
}

/** Short, so that what slows the machine does not change between a block and the yardstick's next to it: repeats of small
 * networks differ by 7 % with blocks of 10 ms and by 2 % with these, in the same time. */
const blockSeconds = 1.5e-3;

const plans = {
  quick: {
    seconds: 180,
    units: 10,
    networks: 240,
    batches: [1, 64],
    chain: [2, 8],
    measure: { warmRuns: 20, warmSeconds: 0.03, blocks: 40, blockSeconds, retries: 0 },
  },
  full: {
    seconds: 1800,
    units: 40,
    networks: 600,
    batches: [1, 8, 64, 512],
    chain: [2, 4, 8, 16],
    measure: { warmRuns: 50, warmSeconds: 0.05, blocks: 60, blockSeconds, retries: 0 },
  },
} as const satisfies Readonly<Record<string, Plan>>;

/** Calibrates a target, measuring on this machine. @throws OptionError if the time was too short to fit anything */
export async function calibrateCpu(target: CpuTarget, options: CalibrateOptions): Promise<CpuTarget> {
  const { quick = false, seed = 1, progress, now = () => performance.now(), save, measure = measureGraph } = options;
  const plan: Plan = quick ? plans.quick : plans.full;
  const limit = options.seconds ?? plan.seconds;
  const state = options.state ?? {
    version: 1,
    seed,
    quick,
    host: options.host,
    threads: target.cpu.threads,
    spent: 0,
    done: {},
  };
  checkState(state, target, options, quick);
  const settings = { ...plan.measure, threads: target.cpu.threads, now };
  const drawn = networksOf(state.seed, options);
  const tasks = tasksOf(plan, state.seed, measure, drawn);
  const begun = now();
  const before = state.spent;
  const isOver = (): boolean => {
    state.spent = before + (now() - begun) / 1e3;
    return state.spent > limit || options.stopped?.() === true;
  };
  const timeOnce = async (name: string, run: () => Promise<Measurement>): Promise<Measurement> =>
    (state.done[name] ??= await run());
  return withCall(referenceNetwork(), 1, settings, async (call) => {
    const { p10: seconds } = await timeOnce("reference", () =>
      measure(referenceNetwork(), 1, { ...settings, ...steady }),
    );
    const beside = { ...settings, yardstick: { call, seconds } };
    await timeOnce("empty", () => measure(emptyNetwork(), 1, beside));
    for (const count of resultCounts) await timeOnce(`results|${count}`, () => measure(manyResults(count), 1, beside));
    const isDone = ({ name }: Task): boolean => Object.keys(state.done).some((key) => key.startsWith(name));
    const left = tasks.filter((task) => !isDone(task));
    for (const [i, task] of left.entries()) {
      if (isOver()) break;
      Object.assign(state.done, await task.run(beside));
      progress?.(Math.min(1, state.spent / limit), `${tasks.length - left.length + i + 1} of ${tasks.length} measured`);
      if (i % SAVE_EVERY === 0) await save?.(state);
    }
    await save?.(state);
    return fitState(target, state, plan, tasks.length, drawn, options);
  });
}

function checkState(state: CalibrationState, target: CpuTarget, options: CalibrateOptions, quick: boolean): void {
  if (state.host !== options.host)
    throw new OptionError(
      "OPTION_RESUME",
      `the calibration to resume was begun on another machine (${state.host}; this is ${options.host}). Start anew without --resume.`,
    );
  if (state.threads !== target.cpu.threads || state.quick !== quick)
    throw new OptionError(
      "OPTION_RESUME",
      `the calibration to resume was begun with ${state.threads} threads${state.quick ? " and --quick" : ""}. Give the same options, or start anew without --resume.`,
    );
}

/** The whole networks of a calibration, by number. */
function networksOf(seed: number, { draw = randomNetwork }: CalibrateOptions): (i: number) => Graph {
  const rng = makeRng(seed);
  return (i) => withConstantWeights(draw(rng.fork(`network ${i}`)));
}

/** All measurements in the random order of the seed; a task's name does not depend on the order. */
function tasksOf(plan: Plan, seed: number, measure: typeof measureGraph, drawn: (i: number) => Graph): Task[] {
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
      run: async (options) => ({ [name]: await measure(drawn(i), batch, options) }),
    });
  };
  for (let i = 0; i < plan.networks; i++) addNetwork(`network|${i}|`, i, batchOfNetwork(plan, i));
  for (let i = 0; i < Math.min(40, plan.networks); i += 2) addNetwork(`again|${i}|`, i, 1);
  return rng.fork("order").shuffle(tasks);
}

/** Even networks at batch 1, odd ones at the others in turn. */
function batchOfNetwork({ batches }: Plan, i: number): number {
  return i % 2 === 0 ? batches[0]! : batches[1 + ((i >> 1) % (batches.length - 1))]!;
}

function fitState(
  target: CpuTarget,
  state: CalibrationState,
  plan: Plan,
  total: number,
  drawn: (i: number) => Graph,
  options: CalibrateOptions,
): CpuTarget {
  const rng = makeRng(state.seed);
  const units: UnitPoint[] = [];
  const networks: NetworkPoint[] = [];
  let chains = 0;
  for (const kind of unitKinds)
    for (let i = 0; i < plan.units; i++)
      for (const batch of plan.batches) {
        const times = plan.chain.flatMap((links) => {
          const measured = state.done[`unit|${kind}|${i}|${batch}|${links}`];
          return measured === undefined ? [] : [[links, measured.seconds] as const];
        });
        if (times.length < 2) continue;
        chains++;
        const seconds = fitLine(times).slope;
        // On a busy machine a longer chain may have been faster: that says nothing of a link.
        if (seconds <= 0) continue;
        const kernels = fuseKernels(networkOf(chainGraph(drawUnit(kind, rng.fork(`unit ${kind} ${i}`)), 1, rng)));
        units.push({ kernels, batch, seconds });
      }
  const ratios: number[] = [];
  for (let i = 0; i < plan.networks; i++) {
    const measured = state.done[`network|${i}|`];
    if (measured === undefined) continue;
    const kernels = fuseKernels(networkOf(drawn(i)));
    networks.push({ kernels, batch: batchOfNetwork(plan, i), seconds: measured.seconds });
    const again = state.done[`again|${i}|`];
    if (again) ratios.push(Math.log(again.seconds / measured.seconds));
  }
  if (Math.min(chains, networks.length) < FEWEST)
    throw new OptionError(
      "OPTION_CALIBRATION",
      `only ${Object.keys(state.done).length} of ${total} measurements were made, too few to fit. Give it more time, or go on with --resume.`,
    );
  const reference = state.done.reference!;
  const calibration = fitCalibration(units, networks, target, {
    date: options.date,
    host: options.host,
    engine: options.engine,
    referenceSeconds: reference.p10,
    noiseCv: Math.sqrt(ratios.reduce((sum, r) => sum + r * r, 0) / Math.max(1, ratios.length) / 2),
    sessionSeconds: state.done.empty!.seconds,
    slicedResultSeconds: fitLine(resultCounts.map((count) => [count, state.done[`results|${count}`]!.seconds])).slope,
    batches: plan.batches,
  });
  return {
    ...target,
    source: `measured on ${options.host}, ${options.date.slice(0, 10)}`,
    engine: { name: "ort", version: options.engine },
    calibration,
  };
}

/** How far this machine is from its calibration: times the reference network again. @returns now / then */
export async function referenceRatio(
  target: CpuTarget,
  options: MeasureOptions & { readonly measure?: typeof measureGraph } = {},
): Promise<number> {
  const { measure = measureGraph, ...rest } = options;
  const { calibration } = target;
  if (calibration === undefined) return 1;
  const { p10 } = await measure(referenceNetwork(), 1, { threads: target.cpu.threads, ...steady, ...rest });
  return p10 / calibration.referenceSeconds;
}

/** How to time on a calibrated processor, beside the reference network: seconds are then those of the machine as it was
 * calibrated, whatever else runs now. */
export async function withYardstick<Result>(
  { cpu: { threads }, calibration }: CpuTarget,
  use: (beside: MeasureOptions) => Promise<Result>,
): Promise<Result> {
  if (calibration === undefined) throw new InternalError("a yardstick needs a calibration");
  return withCall(referenceNetwork(), 1, { threads }, (call) => {
    const yardstick = { call, seconds: calibration.referenceSeconds };
    return use({ threads, blocks: 100, blockSeconds, retries: 0, yardstick });
  });
}
