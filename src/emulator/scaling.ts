/** Runs as networks see them: scaled, float32, outputs grouped by head. */
import {
  type FieldScaler,
  fitFieldScaler,
  fitInputScaler,
  type InputScaler,
  type Runs,
  scaleField,
  scaleInputs,
} from "../data/index.ts";
import { headSize, planHeads } from "./problem.ts";

export interface Scalers {
  readonly input: InputScaler;
  /** One per field. */
  readonly fields: readonly FieldScaler[];
}

/** Fits the scaling of inputs and of every element of every field to all runs. */
export function fitScalers(runs: Runs): Scalers {
  const rows = Int32Array.from({ length: runs.n }, (_, i) => i);
  return {
    input: fitInputScaler(runs.schema, runs.x, rows),
    fields: runs.schema.fields.map((field, i) =>
      fitFieldScaler(field, runs.y[i] ?? new Float64Array(), rows, { per: "element" }),
    ),
  };
}

/** Scaled inputs, rows x inputs, and one array of scaled targets per head, rows x size. */
export interface ScaledRuns {
  readonly rows: number;
  readonly inputs: number;
  readonly x: Float32Array;
  readonly targets: readonly Float32Array[];
}

/** Scales runs for the heads that {@link planHeads} gives. */
export function scaleRuns(runs: Runs, scalers: Scalers): ScaledRuns {
  const plan = planHeads(runs.schema);
  const widths = plan.heads.map(headSize);
  const targets = widths.map((width) => new Float32Array(runs.n * width));
  plan.places.forEach(({ head, start, size }, i) => {
    const scaled = scaleField(scalers.fields[i]!, runs.y[i]!);
    const width = widths[head]!;
    for (let row = 0; row < runs.n; row++)
      for (let j = 0; j < size; j++) targets[head]![row * width + start + j] = scaled[row * size + j]!;
  });
  return { rows: runs.n, inputs: plan.inputs, x: Float32Array.from(scaleInputs(scalers.input, runs.x)), targets };
}
