/** The water column: its layers, its seven tracers and their start. */

/** Depth of the column [m]. */
export const DEPTH = 1000;

/** Layers from the surface down [m]. */
export interface Column {
  /** Depths of the faces, one more than layers, from 0. */
  readonly faces: Float64Array;
  readonly centres: Float64Array;
  readonly thickness: Float64Array;
}

/** Tracers by layer: mmol P/m3 for the first five, mmol O2/m3, mmol N/m3. */
export interface Tracers {
  readonly po4: Float64Array;
  readonly dop: Float64Array;
  readonly phy: Float64Array;
  readonly zoo: Float64Array;
  readonly det: Float64Array;
  readonly o2: Float64Array;
  readonly din: Float64Array;
}

/** Faces at 1000 (0.2 s + 0.8 s^2), s = i / layers: fine at the surface. */
export function makeColumn(layers = 50): Column {
  return columnOf(
    Float64Array.from({ length: layers + 1 }, (_, i) => DEPTH * (0.2 + 0.8 * (i / layers)) * (i / layers)),
  );
}

/** The column with these faces [m]. */
export function columnOf(faces: Float64Array): Column {
  const tops = faces.subarray(0, -1);
  return {
    faces,
    centres: tops.map((top, k) => (top + faces[k + 1]!) / 2),
    thickness: tops.map((top, k) => faces[k + 1]! - top),
  };
}

/** The start of every run, at the layers' centres. */
export function startTracers(column: Column): Tracers {
  const z = column.centres;
  const po4 = z.map((depth) => 0.1 + 1.9 * (1 - Math.exp(-depth / 350)));
  return {
    po4,
    dop: z.map((depth) => 0.05 * Math.exp(-depth / 150)),
    phy: z.map((depth) => 0.02 * Math.exp(-depth / 80)),
    zoo: z.map((depth) => 0.01 * Math.exp(-depth / 80)),
    det: new Float64Array(z.length),
    o2: new Float64Array(z.length).fill(230),
    din: po4.map((phosphate) => 15.2 * phosphate),
  };
}

/** Sum over the column of a tracer times thickness [mmol/m2]. */
export function columnSum(column: Column, tracer: Float64Array): number {
  return tracer.reduce((sum, value, k) => sum + value * column.thickness[k]!, 0);
}

/** All phosphorus in the column [mmol P/m2]. */
export function phosphorus(column: Column, tracers: Tracers): number {
  const { po4, dop, phy, zoo, det } = tracers;
  return [po4, dop, phy, zoo, det].reduce((sum, tracer) => sum + columnSum(column, tracer), 0);
}
