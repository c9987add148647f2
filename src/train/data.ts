/** What training sees of a table of runs: scaled, float32, row-major. Outputs are grouped by the heads of the network. */
import { InternalError } from "../errors.ts";

export interface TrainingData {
  readonly rows: number;
  readonly inputs: number;
  /** rows x inputs, scaled. */
  readonly x: Float32Array;
  /** One array per head of the network: rows x size, scaled. */
  readonly targets: readonly Float32Array[];
  /** The targets as coefficients of their head's components, rows x count, where it has any. */
  readonly coefficients?: readonly (Float32Array | undefined)[];
}

/** The same runs with the coefficients as targets, of the heads that are learned so. */
export function withCoefficients(data: TrainingData, learned: readonly boolean[]): TrainingData {
  const { rows, inputs, x } = data;
  const targets = data.targets.map((target, h) => {
    if (learned[h] !== true) return target;
    const coefficients = data.coefficients?.[h];
    if (coefficients === undefined) throw new InternalError(`head ${h} has no coefficients`);
    return coefficients;
  });
  return { rows, inputs, x, targets };
}

/** The given rows of `data` copied, but for coefficients. */
export function takeRows(data: TrainingData, rows: ArrayLike<number>): TrainingData {
  const gather = (source: Float32Array, width: number): Float32Array => {
    const taken = new Float32Array(rows.length * width);
    gatherInto(taken, source, rows, width);
    return taken;
  };
  return {
    rows: rows.length,
    inputs: data.inputs,
    x: gather(data.x, data.inputs),
    targets: data.targets.map((target) => gather(target, target.length / data.rows)),
  };
}

/** Copies rows of `width` into `out`. */
export function gatherInto(out: Float32Array, source: Float32Array, rows: ArrayLike<number>, width: number): void {
  for (let i = 0; i < rows.length; i++) {
    const from = rows[i]! * width;
    out.set(source.subarray(from, from + width), i * width);
  }
}
