/** The figures of a case: what the emulator gets right and wrong, how sure it is, and what it tells of the inputs. */
import {
  type Block,
  cornerFigure,
  coverageFigure,
  curveLevels,
  type Emulator,
  type FieldPrediction,
  fieldSize,
  imagesFigure,
  label,
  parityFigure,
  physicalDraws,
  type Runs,
  showNumber,
  signalsFigure,
} from "../../src/index.ts";
import { type Case, type CaseOutput, physicalInputs } from "../case.ts";
import { type Inversions, shareLeft } from "./invert.ts";
import type { RealChain } from "./real.ts";
import { type Tested, type TestedField } from "./test.ts";

/** A figure with its file's name. */
export type NamedFigure = Extract<Block, { kind: "figure" }> & { readonly name: string };

/** Channels of a field that are shown, and runs in a parity plot. */
const MOST_CHANNELS = 4;
const PARITY_RUNS = 200;
/** Inputs in a corner plot. */
const MOST_CORNER = 5;

/** Figures on the fresh runs. */
export async function testFigures(
  study: Case,
  emulator: Emulator,
  runs: Runs,
  tested: Tested,
): Promise<readonly NamedFigure[]> {
  const shaped: NamedFigure[] = [];
  for (const [f, field] of tested.fields.entries()) {
    const output = study.outputs.find(({ name }) => name === field.field)!;
    if (output.shape.length === 0) continue;
    const rows = await predictRows(emulator, runs, field.shown, f);
    shaped.push(...(isImage(output) ? imageFigures(output, field, rows) : [signals(output, field, rows, emulator)]));
  }
  const scalars = await parity(study, emulator, runs, tested);
  return [...shaped, ...(scalars === undefined ? [] : [scalars]), coverage(study, tested)];
}

/** A run as figures need it. */
interface Row {
  readonly title: string;
  readonly truth: Float64Array;
  readonly prediction: FieldPrediction;
}

async function predictRows(emulator: Emulator, runs: Runs, rows: TestedField["shown"], f: number): Promise<Row[]> {
  const titles = ["median run", "95th percentile", "worst run"];
  const size = fieldSize(emulator.schema.fields[f]!);
  const found: Row[] = [];
  for (const [i, row] of rows.entries()) {
    const predictions = await emulator.predict(runs.x.slice(row * runs.d, (row + 1) * runs.d));
    found.push({
      title: titles[i]!,
      truth: runs.y[f]!.slice(row * size, (row + 1) * size),
      prediction: predictions[f]!,
    });
  }
  return found;
}

function isImage({ shape, channels }: CaseOutput): boolean {
  return shape.length === 3 || (shape.length === 2 && channels !== true);
}

/** Channel c of a row. */
function channel({ title, truth, prediction }: Row, c: number, positions: number) {
  const cut = (values: Float64Array): Float64Array => values.slice(c * positions, (c + 1) * positions);
  const { mean, std, lower, upper } = prediction;
  return { title, truth: cut(truth), mean: cut(mean), std: cut(std), lower: cut(lower), upper: cut(upper) };
}

/** Channels that are shown: all, or some evenly spaced. */
function shownChannels(count: number): number[] {
  if (count <= MOST_CHANNELS) return Array.from({ length: count }, (_, c) => c);
  return Array.from({ length: MOST_CHANNELS }, (_, k) => Math.round((k * (count - 1)) / (MOST_CHANNELS - 1)));
}

const scores = (field: TestedField): string =>
  `FVU ${showNumber(field.fvu, 2)}, normalised RMSE ${showNumber(field.nrmse, 2)}`;

function signals(output: CaseOutput, field: TestedField, rows: readonly Row[], emulator: Emulator): NamedFigure {
  const { name, unit, shape, axes, parts } = output;
  const length = shape.at(-1)!;
  const count = shape.length === 2 ? shape[0]! : 1;
  const along = axes.at(-1);
  const across = axes.length === 2 ? axes[0] : undefined;
  const level = emulator.info.level;
  return {
    kind: "figure",
    name: `signal-${name}`,
    figure: signalsFigure({
      x: along?.values ?? Array.from({ length }, (_, i) => i),
      xLabel: along === undefined ? "element" : label(along.name, along.unit),
      level,
      rows: shownChannels(count).map((c) => ({
        label:
          count === 1
            ? label(name, unit)
            : (parts?.[c] ??
              label(`${name}, ${across?.name ?? "channel"} ${showNumber(across?.values[c] ?? c)}`, unit)),
        runs: rows.map((row) => channel(row, c, length)),
      })),
    }),
    caption: `${name} of three fresh runs: the one with the median error, at the 95th percentile, and the worst of ${field.count / (length * count)}. The band is the emulator's ${100 * level} % interval${count === 1 ? "; below, errors on a scale of their own" : ""}. ${scores(field)}.`,
    alt: `Line plots of ${name}, simulator and emulator with its interval, for a median, a 95th-percentile and the worst run. ${scores(field)}.`,
  };
}

function imageFigures(output: CaseOutput, field: TestedField, rows: readonly Row[]): NamedFigure[] {
  const { name, unit, shape, axes, parts } = output;
  const [height, width] = [shape.at(-2)!, shape.at(-1)!];
  const count = shape.length === 3 ? shape[0]! : 1;
  const [down, across] = [axes.at(-2), axes.at(-1)];
  const [first, ...others] = axes.length === 3 ? axes : [undefined];
  return shownChannels(count).map((c) => {
    const which =
      count === 1
        ? ""
        : first === undefined || others.length === 0
          ? `, ${parts?.[c] ?? `channel ${c + 1}`}`
          : `, ${first.name} ${showNumber(first.values[c] ?? c)} ${first.unit}`;
    return {
      kind: "figure",
      name: `image-${name}${count === 1 ? "" : `-${c + 1}`}`,
      figure: imagesFigure({
        runs: rows.map((row) => channel(row, c, height * width)),
        x: across?.values ?? Array.from({ length: width }, (_, i) => i),
        y: down?.values ?? Array.from({ length: height }, (_, i) => i),
        xLabel: label(across?.name ?? "column", across?.unit),
        yLabel: label(down?.name ?? "row", down?.unit),
        label: parts === undefined ? label(name, unit) + which : name + which,
        square: across !== undefined && across.unit === down?.unit,
      }),
      caption: `${name}${which} of three fresh runs: simulator, emulator, their difference and the standard deviation that the emulator states. The worst of ${field.count / (count * height * width)} runs is in the last row. ${scores(field)}.`,
      alt: `Images of ${name}${which}: simulator, emulator, error and stated uncertainty for a median, a 95th-percentile and the worst run. ${scores(field)}.`,
    };
  });
}

async function parity(study: Case, emulator: Emulator, runs: Runs, tested: Tested): Promise<NamedFigure | undefined> {
  const scalars = study.outputs.filter(({ shape }) => shape.length === 0);
  if (scalars.length === 0) return undefined;
  const n = Math.min(PARITY_RUNS, runs.n);
  const predictions = await emulator.predict(runs.x.slice(0, n * runs.d));
  return {
    kind: "figure",
    name: "parity",
    figure: parityFigure(
      scalars.map(({ name, unit }) => {
        const f = tested.fields.findIndex(({ field }) => field === name);
        const { mean, lower, upper } = predictions[f]!;
        const note = `FVU ${showNumber(tested.fields[f]!.fvu, 2)}`;
        return { label: label(name, unit), truth: runs.y[f]!.slice(0, n), mean, lower, upper, note };
      }),
    ),
    caption: `Emulator against simulator on ${n} of the fresh runs; bars are ${100 * emulator.info.level} % intervals, mostly smaller than the points.`,
    alt: `Scatter plots of emulated against simulated ${scalars.map(({ name }) => name).join(", ")}.`,
  };
}

function coverage(study: Case, { fields, rows }: Tested): NamedFigure {
  const isScalar = ({ field }: TestedField): boolean =>
    study.outputs.find(({ name }) => name === field)?.shape.length === 0;
  const scalars = fields.filter(isScalar);
  const apart = scalars.length <= 4 ? fields : fields.filter((field) => !isScalar(field));
  const over = (pick: (values: readonly number[]) => number): number[] =>
    curveLevels.map((_, i) => pick(scalars.map(({ curve }) => curve[i]!)));
  const curves = apart.map(({ field, curve }) => ({ name: field, coverage: curve }));
  if (scalars.length > 4)
    curves.push(
      { name: `${scalars.length} scalars, mean`, coverage: over((v) => v.reduce((sum, x) => sum + x, 0) / v.length) },
      { name: "the least of them", coverage: over((v) => Math.min(...v)) },
      { name: "the most of them", coverage: over((v) => Math.max(...v)) },
    );
  return {
    kind: "figure",
    name: "coverage",
    figure: coverageFigure({ levels: curveLevels, curves, runs: rows }),
    caption: `Calibration on ${rows} fresh runs: how often intervals held the truth. Above the diagonal the emulator is too careful, below it too sure.`,
    alt: "Observed coverage of intervals against their stated level.",
  };
}

/** The posterior of the first truth, in the inputs that the data tell most of. */
export function posteriorFigure(study: Case, inversions: Inversions, real: RealChain | undefined): NamedFigure {
  const { solved, draws } = inversions;
  const told = study.inputs.map((_, j) => j).sort((a, b) => shareLeft(solved, a) - shareLeft(solved, b));
  const shown = told.slice(0, MOST_CORNER).sort((a, b) => a - b);
  const truth = physicalInputs(study.inputs, solved[0]!.truth);
  const columns = (u: Float64Array): Float64Array[] => shown.map((j) => physicalDraws({ prior: study.inputs, u }, j));
  const some = shown.length < study.inputs.length;
  const simulator = real === undefined ? "" : ` Dashed: the chain with the simulator itself, ${real.simulations} runs.`;
  return {
    kind: "figure",
    name: "posterior",
    figure: cornerFigure({
      inputs: shown.map((j) => {
        const { name, unit, low, high, scale } = study.inputs[j]!;
        return { name, unit, low, high, scale, truth: truth[j]! };
      }),
      posteriors: [
        { name: "with the emulator", draws: columns(draws) },
        ...(real === undefined ? [] : [{ name: "with the simulator", draws: columns(real.draws) }]),
      ],
    }),
    caption: `Posterior of the first hidden truth (black lines)${some ? `, in the ${shown.length} inputs that the data constrain most` : ""}. Contours hold 68 % and 95 %.${simulator}`,
    alt: "Corner plot of the posterior with the true inputs marked.",
  };
}
