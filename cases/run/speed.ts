/**
 * How long a simulator and its emulator take for one run, one after the other in this process on one thread. All members,
 * scaling, mean, spread and intervals are in the emulator's time; reading files is in neither's.
 */
import { type Emulator, fieldSize, makeRng, quantileOf, type SpeedupRow } from "../../src/index.ts";
import { type Case, physicalInputs } from "../case.ts";

/** Milliseconds per run: median and quartiles over calls. */
export interface Timing {
  readonly median: number;
  readonly low: number;
  readonly high: number;
  /** Calls that were timed. */
  readonly calls: number;
}

export interface Speed {
  readonly simulator: Timing;
  /** One row per call, and by rows per call; per row. */
  readonly single: Timing;
  readonly batches: readonly (Timing & { readonly rows: number })[];
  /** Rows per call at which a row takes least. */
  readonly bestRows: number;
  /** Simulator's time over the emulator's. */
  readonly speedup: Omit<SpeedupRow, "name">;
}

/** Budgets of the measurement. */
const SIMULATOR = { calls: 25, ms: 8000 } as const;
const SINGLE = { calls: 400, ms: 3000 } as const;
const BATCH = { calls: 30, ms: 1500 } as const;
const BATCHES = [16, 64, 256, 1024, 4096] as const;
/** Numbers that a call may give back, and its milliseconds: larger batches are left out. */
const MOST_NUMBERS = 2e7;
const MOST_MS = 1000;

/** Measures, at points drawn evenly from the case's box. @param now monotonic, milliseconds */
export async function measureSpeed(
  study: Case,
  emulator: Emulator,
  seed: number,
  now: () => number = () => performance.now(),
): Promise<Speed> {
  const rng = makeRng(seed).fork(`speed of ${study.name}`);
  const point = (): Float64Array => Float64Array.from(study.inputs, () => rng.uniform());
  study.simulate(point());
  const simulator = await timed(SIMULATOR, 1, now, () => {
    const u = point();
    return () => Promise.resolve(study.simulate(u));
  });
  const query = (rows: number) => () => {
    const d = study.inputs.length;
    const x = new Float64Array(rows * d);
    for (let i = 0; i < rows; i++) x.set(physicalInputs(study.inputs, point()), i * d);
    return () => emulator.predict(x);
  };
  const warm = async (rows: number, calls: number): Promise<void> => {
    for (let i = 0; i < calls; i++) await query(rows)()();
  };
  await warm(1, 20);
  const single = await timed(SINGLE, 1, now, query(1));
  const numbers = 5 * emulator.schema.fields.reduce((sum, field) => sum + fieldSize(field), 0);
  const batches: Speed["batches"][number][] = [];
  for (const rows of BATCHES) {
    if (rows * numbers > MOST_NUMBERS) break;
    const before = now();
    await warm(rows, 1);
    if (batches.length > 0 && now() - before > MOST_MS) break;
    batches.push({ rows, ...(await timed(BATCH, rows, now, query(rows))) });
  }
  const best = batches.reduce((least, each) => (each.median < least.median ? each : least), { rows: 1, ...single });
  return {
    simulator,
    single,
    batches,
    bestRows: best.rows,
    speedup: { single: ratio(simulator, single), batched: ratio(simulator, best) },
  };
}

/** Queries after which making the runs and learning from them has paid, one at a time: the emulator's whole cost in
 * simulator time, over what a query saves. Infinite where it saves nothing. @param fitSeconds of one core */
export function payback(speed: Speed, runs: number, fitSeconds: number): number {
  const saved = speed.simulator.median - speed.single.median;
  return saved > 0 ? (runs * speed.simulator.median + 1000 * fitSeconds) / saved : Number.POSITIVE_INFINITY;
}

/** Times single calls until there are enough or the time is up; five at least. */
async function timed(
  { calls, ms }: { readonly calls: number; readonly ms: number },
  rows: number,
  now: () => number,
  prepare: () => () => Promise<unknown>,
): Promise<Timing> {
  const times: number[] = [];
  const started = now();
  while (times.length < calls && (times.length < 5 || now() - started < ms)) {
    const call = prepare();
    const before = now();
    await call();
    times.push((now() - before) / rows);
  }
  const sorted = Float64Array.from(times).sort();
  return {
    median: quantileOf(sorted, 0.5),
    low: quantileOf(sorted, 0.25),
    high: quantileOf(sorted, 0.75),
    calls: times.length,
  };
}

/** Ratio of two times; its quartiles from those of both. */
function ratio(a: Timing, b: Timing): SpeedupRow["single"] {
  return { median: a.median / b.median, low: a.low / b.high, high: a.high / b.low };
}
