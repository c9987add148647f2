/** Calibration of this machine's processor (spec latency 2.3): its plans, and the check of how far it drifted since. */
import { fitLine } from "../line.ts";
import {
  type CalibrateOptions,
  type Measured,
  measureByPlan,
  networkPoints,
  type Plan,
  repeatCv,
} from "../measured/calibrate.ts";
import { someWithEnds } from "../measured/emulator-ends.ts";
import type { UnitPoint } from "../measured/kernel-sum.ts";
import type { KernelScheme } from "../measured/scheme.ts";
import { measureGraph, type MeasureOptions } from "../measured/measure.ts";
import {
  chainGraph,
  drawUnit,
  emptyNetwork,
  manyResults,
  randomNetwork,
  referenceNetwork,
  unitKinds,
} from "../measured/units.ts";
import { fuseKernels } from "../kernels.ts";
import { networkOf } from "../network.ts";
import { makeRng } from "../../rng.ts";
import type { CpuTarget } from "../target.ts";
import { fitCalibration } from "./fit.ts";
import { cpuScheme } from "./scheme.ts";

/** How the reference network itself is timed. */
const steady = { warmRuns: 50, warmSeconds: 0.2, blocks: 40, blockSeconds: 0.02, retries: 0 } as const;
/** Results of the networks that tell what handing one over costs. */
const resultCounts = [2, 32, 128] as const;

/** How graphs are timed in turn with the reference network. Blocks are short, so that what slows the machine does not change
 * between one and the yardstick's next to it: repeats of small networks differ by 7 % with blocks of 10 ms and by 2 % with
 * these, in the same time. A call that takes longer is a block. */
export const timing = { blockSeconds: 1.5e-3, blockRuns: 1, settle: 5, quiet: 1.2, retries: 0 } as const;

/** TensorFlow.js takes several times as long for a call: fewer of them tell as much, and the longest would take all the time. */
const patient = { warmRuns: 20, blocks: 40, longCall: 0.05 } as const;

function planOf(quick: boolean, engine: CpuTarget["engine"]["name"]): Plan {
  const batches = quick ? [1, 64] : [1, 8, 64, 512];
  return {
    ...(quick
      ? { seconds: 180, units: 6, networks: 280, chain: [2, 8] }
      : { seconds: 1800, units: 20, networks: 800, chain: [2, 4, 8] }),
    batches,
    // Even networks at batch 1, odd ones at the others in turn.
    batchOf: (i) => (i % 2 === 0 ? batches[0]! : batches[1 + ((i >> 1) % (batches.length - 1))]!),
    first: [
      { name: "empty", batch: 1, graph: emptyNetwork() },
      ...resultCounts.map((count) => ({ name: `results|${count}`, batch: 1, graph: manyResults(count) })),
    ],
    measure: {
      ...(quick ? { warmRuns: 20, warmSeconds: 0.03, blocks: 40 } : { warmRuns: 50, warmSeconds: 0.05, blocks: 60 }),
      ...timing,
      ...(engine === "tfjs" ? patient : {}),
    },
    ...(engine === "tfjs" ? { longest: 1 / 3000 } : {}),
    // For seconds: on a busy machine a shorter time may have nothing of what it takes when left to itself.
    steady: { ...steady, blocks: 200 },
    fewest: { chains: 12, networks: 12 },
    overtime: 1,
  };
}

/** Where and by what a processor's graphs are timed. */
export function deviceOf({ cpu: { threads }, engine }: CpuTarget): {
  readonly threads: number;
  readonly engine?: string;
} {
  return engine.name === "ort" ? { threads } : { threads, engine: engine.name };
}

/** Calibrates a target, measuring on this machine. @throws OptionError if the time was too short to fit anything */
export async function calibrateCpu(target: CpuTarget, options: CalibrateOptions): Promise<CpuTarget> {
  const { host, date, engine, draw = randomNetwork } = options;
  const plan = planOf(options.quick ?? false, target.engine.name);
  const scheme = cpuScheme(target);
  const measured = await measureByPlan(plan, deviceOf(target), { ...options, draw: someWithEnds(draw) });
  const { done } = measured.state;
  const networks = networkPoints(measured, plan, scheme);
  const calibration = fitCalibration(unitPoints(measured, plan, scheme), networks, target, {
    date,
    host,
    engine,
    referenceSeconds: done.reference!.p10,
    noiseCv: repeatCv(measured, plan),
    sessionSeconds: done.empty!.seconds,
    slicedResultSeconds: fitLine(resultCounts.map((count) => [count, done[`results|${count}`]!.seconds])).slope,
    batches: plan.batches,
  });
  return {
    ...target,
    source: `measured on ${host}, ${date.slice(0, 10)}`,
    engine: { ...target.engine, version: engine },
    calibration,
  };
}

/** Links of the chains that were measured. */
function unitPoints({ state: { seed, done } }: Measured, plan: Plan, { rules }: KernelScheme): UnitPoint[] {
  const rng = makeRng(seed);
  const units: UnitPoint[] = [];
  for (const kind of unitKinds)
    for (let i = 0; i < plan.units; i++)
      for (const batch of plan.batches) {
        const times = plan.chain.flatMap((links) => {
          const measured = done[`unit|${kind}|${i}|${batch}|${links}`];
          return measured === undefined ? [] : [[links, measured.seconds] as const];
        });
        if (times.length < 2) continue;
        const seconds = fitLine(times).slope;
        // On a busy machine a longer chain may have been faster: that says nothing of a link.
        if (seconds <= 0) continue;
        const link = chainGraph(drawUnit(kind, rng.fork(`unit ${kind} ${i}`)), 1, rng);
        const kernels = fuseKernels(networkOf(link), rules);
        units.push({ kernels, batch, seconds });
      }
  return units;
}

/** How far this machine is from its calibration: times the reference network again. @returns now / then */
export async function referenceRatio(
  target: CpuTarget,
  options: MeasureOptions & { readonly measure?: typeof measureGraph } = {},
): Promise<number> {
  const { measure = measureGraph, ...rest } = options;
  const { calibration } = target;
  if (calibration === undefined) return 1;
  const { p10 } = await measure(referenceNetwork(), 1, { ...deviceOf(target), ...steady, ...rest });
  return p10 / calibration.referenceSeconds;
}
