/** On which axes inputs are learned: warped ones where the outputs ask for it and the user said nothing. */
import { type InputSpec, type Runs, varyingInputs } from "../data/index.ts";
import { fitScalers, scaleRuns } from "../emulator/index.ts";
import type { Rng } from "../rng.ts";
import { type CheckpointStore, keep, type TaskRunner } from "../tasks/index.ts";
import { type AxisRuns, warpsTask } from "../train/index.ts";

/** Runs that are looked at, at most and at least. */
const MOST_RUNS = 400;
const FEWEST_RUNS = 16;
/** Numbers of a head that are looked at, at most: of large images every so-many-th. */
const MOST_NUMBERS = 1000;
/** Values that an input has to take for its axis to have a shape: the few levels of a grid say little of what is between them. */
const FEWEST_VALUES = 20;

export interface WarpOptions {
  readonly rng: Rng;
  readonly runner: TaskRunner;
  /** Milliseconds since the epoch: without an answer by then axes stay straight. */
  readonly deadline: number;
  readonly checkpoints: CheckpointStore | undefined;
}

/** The runs with the axes on which their outputs are easiest to follow, and a sentence about those that are warped. */
export async function settleWarps(
  runs: Runs,
  { rng, runner, deadline, checkpoints }: WarpOptions,
): Promise<{ readonly runs: Runs; readonly notes: readonly string[] }> {
  const none = { runs, notes: [] };
  const axes = axisRuns(runs, rng);
  if (axes.n < FEWEST_RUNS || !axes.free.includes(true)) return none;
  const found = await keep(
    checkpoints,
    "warps",
    () => runner.run(warpsTask, { ...axes, seed: rng.fork("components").seed }, { deadline }),
    (answer) => answer !== null,
  );
  if (found === null || found.curvatures.every((curvature) => curvature === 0)) return none;
  let column = 0;
  const warped: string[] = [];
  const inputs = runs.schema.inputs.map((input): InputSpec => {
    if (input.constant !== undefined) return input;
    const curvature = found.curvatures[column] ?? 0;
    column += widthOf(input);
    if (input.kind === "categorical" || curvature === 0) return input;
    const warp = Number(curvature.toFixed(2));
    warped.push(`"${input.name}" (${warp})`);
    return { ...input, warp };
  });
  const one = warped.length === 1;
  return {
    runs: { ...runs, schema: { ...runs.schema, inputs } },
    notes: [
      `${one ? "Input" : "Inputs"} ${warped.join(", ")} ${one ? "is" : "are"} learned on ${one ? "a warped axis" : "warped axes"}: above 0 small values are told apart more finely, below 0 large ones. That leaves ${Math.round(100 * found.ratio)} % of the mean square error of a Gaussian process.`,
    ],
  };
}

function widthOf(input: InputSpec): number {
  return input.kind === "categorical" ? input.levels.length : 1;
}

/** A sample of the runs, each input from 0 to 1, outputs as they are learned: heads count alike, however many numbers they have. */
function axisRuns(runs: Runs, rng: Rng): AxisRuns {
  const order = Array.from({ length: runs.n }, (_, i) => i);
  if (runs.n > MOST_RUNS) rng.fork("sample").shuffle(order);
  const rows = order.slice(0, MOST_RUNS);
  const axes = varyingInputs(runs.schema).flatMap((input, j) =>
    axesOf(
      input,
      rows.map((row) => runs.x[row * runs.d + j] ?? Number.NaN),
    ),
  );
  const parts = scaleRuns(runs, fitScalers(runs)).targets.map((target) => {
    const size = target.length / runs.n;
    const step = Math.ceil(size / MOST_NUMBERS);
    const count = Math.ceil(size / step);
    return rows.map((row) =>
      Array.from({ length: count }, (_, j) => (target[row * size + j * step] ?? 0) / Math.sqrt(count)),
    );
  });
  const y = rows.flatMap((_, i) => parts.flatMap((part) => part[i] ?? []));
  return {
    u: Float64Array.from(rows.flatMap((_, i) => axes.map(({ places }) => places[i] ?? 0))),
    y: Float64Array.from(y),
    n: rows.length,
    d: axes.length,
    m: y.length / rows.length,
    free: axes.map(({ free }) => free),
  };
}

interface Axis {
  readonly places: readonly number[];
  readonly free: boolean;
}

/** One axis for a number, one per level of a category. */
function axesOf(input: InputSpec, values: readonly number[]): readonly Axis[] {
  if (input.kind === "categorical")
    return input.levels.map((_, level) => ({ places: values.map((v) => Number(v === level)), free: false }));
  const place = input.scale === "log" ? Math.log : (value: number): number => value;
  const [low, high] = [place(input.range[0]), place(input.range[1])];
  const places = values.map((value) => Math.min(Math.max((place(value) - low) / (high - low), 0), 1));
  return [{ places, free: input.warp === undefined && new Set(values).size >= FEWEST_VALUES }];
}
