/**
 * What signals and images are learned as. Networks are fitted to squares of what they learn; what counts are errors of the field. A
 * field that is nowhere negative is tried as a root, and learned as one where that predicts held-out runs better.
 */
import { type OutputScale, type Runs, type Schema, unscaleField, wordsOfScale } from "../data/index.ts";
import { fitScalers, planHeads, type Scalers, scaleRuns } from "../emulator/index.ts";
import {
  allowanceOf,
  type Footing,
  footingOf,
  heldOutPredictions,
  type PlainOptions,
  plainTrainings,
  trainPlain,
} from "../train/index.ts";

/** What to try beside the scale that the numbers themselves suggest. */
const alternatives = { linear: "sqrt", log: "fourth-root" } as const;

/** A root is taken where it leaves less than this share of the mean square: of a logarithm's, always where it leaves less, because the
 * advantage grows as networks get better (spectra: 0.6 here, 0.2 in the end). */
const worthwhile = { linear: 0.85, log: 1 } as const;

/** Weight decay of the trainings. */
const weightDecay = 1e-5;

/** What each field may be learned as instead; its own scale where there is nothing to try. */
function alternativesFor({ schema, y }: Runs): readonly OutputScale[] {
  return schema.fields.map(({ scale, shape, scaleStated }, f) => {
    if (shape.length === 0 || scaleStated === true || !(scale === "linear" || scale === "log")) return scale;
    return y[f]?.every((value) => value >= 0) === true ? alternatives[scale] : scale;
  });
}

function withScales(schema: Schema, scales: readonly OutputScale[]): Schema {
  return { ...schema, fields: schema.fields.map((field, f) => ({ ...field, scale: scales[f] ?? field.scale })) };
}

/** Trainings that {@link settleScales} runs: none where no field can be a root. */
export function scaleTrainings(runs: Runs): number {
  const others = alternativesFor(runs);
  return runs.schema.fields.some(({ scale }, f) => others[f] !== scale) ? 2 * plainTrainings : 0;
}

/** The runs with the scales that predict best, and a sentence for each that is not as it was. */
export async function settleScales(
  runs: Runs,
  options: PlainOptions,
): Promise<{ readonly runs: Runs; readonly notes: readonly string[] }> {
  const { fields } = runs.schema;
  const others = alternativesFor(runs);
  if (fields.every(({ scale }, f) => others[f] === scale)) return { runs, notes: [] };
  const tables = [runs.schema, withScales(runs.schema, others)].map((schema) => ({ ...runs, schema }));
  const prepared = await Promise.all(tables.map((table) => learnable(table, options)));
  const allowance = allowanceOf(options, tables.length * plainTrainings);
  const errors = await Promise.all(prepared.map((each, v) => errorsOf(each, options, `scale-${v}`, allowance)));
  const [before = [], after = []] = errors;
  const notes: string[] = [];
  const scales = fields.map(({ name, scale }, f) => {
    const other = others[f] ?? scale;
    const ratio = Math.exp((after[f] ?? 0) - (before[f] ?? 0));
    if (other === scale || !(ratio < (scale === "log" ? worthwhile.log : worthwhile.linear))) return scale;
    notes.push(
      `"${name}" is learned as its ${wordsOfScale(other)}: that leaves ${Math.round(100 * ratio)} % of the mean square error on runs kept apart.`,
    );
    return other;
  });
  return { runs: notes.length === 0 ? runs : { ...runs, schema: withScales(runs.schema, scales) }, notes };
}

interface Learnable {
  readonly runs: Runs;
  readonly scalers: Scalers;
  readonly footing: Footing;
}

async function learnable(runs: Runs, options: PlainOptions): Promise<Learnable> {
  const scalers = fitScalers(runs);
  const data = scaleRuns(runs, scalers);
  const footing = await footingOf({ ...options, data }, "none", options.rng.fork("components"));
  return { runs, scalers, footing: { ...footing, weightDecay, missed: 0 } };
}

/** Mean logarithm over the elements of each field of the mean square error on held-out rows, in units of the field; 0 for scalars. */
async function errorsOf(
  { runs, scalers, footing }: Learnable,
  options: PlainOptions,
  key: string,
  allowance: number,
): Promise<readonly number[]> {
  const { places } = planHeads(runs.schema);
  const networks = await trainPlain(options, footing, key, allowance);
  const sums = runs.schema.fields.map(() => 0);
  for (const network of networks) {
    const predictions = await heldOutPredictions(options.engine, footing, network);
    for (const [f, { shape }] of runs.schema.fields.entries()) {
      const [place, scaler, y] = [places[f], scalers.fields[f], runs.y[f]];
      const scaled = predictions[place?.head ?? 0];
      if (shape.length === 0 || place === undefined || scaler === undefined || y === undefined || scaled === undefined)
        continue;
      const { size } = place;
      const squares = new Float64Array(size);
      unscaleField(scaler, scaled).forEach((said, at) => {
        const [i, j] = [Math.floor(at / size), at % size];
        const truth = y[(network.heldOutRows[i] ?? 0) * size + j] ?? Number.NaN;
        squares[j] = (squares[j] ?? 0) + (said - truth) ** 2;
      });
      sums[f] = (sums[f] ?? 0) + meanLog(squares) / networks.length;
    }
  }
  return sums;
}

/** Of those that are not 0. */
function meanLog(squares: Float64Array): number {
  const errors = squares.filter((square) => square > 0);
  return errors.reduce((sum, square) => sum + Math.log(square), 0) / Math.max(1, errors.length);
}
