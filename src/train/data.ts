/** What training sees of a table of runs: scaled, float32, row-major. Outputs are grouped by the heads of the network. */

export interface TrainingData {
  readonly rows: number;
  readonly inputs: number;
  /** rows x inputs, scaled. */
  readonly x: Float32Array;
  /** One array per head of the network: rows x size, scaled. */
  readonly targets: readonly Float32Array[];
}

/** The given rows of `data`, copied. */
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
