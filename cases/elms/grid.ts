/** Major radius, inner edge of the model and separatrix [m]. */
export const MAJOR_RADIUS = 1.65;
export const INNER_RADIUS = 0.35;
export const SEPARATRIX = 0.5;

/** Decay lengths of density and temperatures at the separatrix [m]. */
export const DENSITY_DECAY = 6e-3;
export const ELECTRON_DECAY = 2e-3;
export const ION_DECAY = 3e-3;

/** Cells between two radii of a torus of circular flux surfaces; arrays per face have one element more. */
export interface Grid {
  readonly cells: number;
  readonly dr: number;
  /** Minor radius of cell centres and faces [m]. */
  readonly centres: Float64Array;
  readonly faces: Float64Array;
  /** Area of each face [m²], 4 pi² R r, and volume of each cell [m³]. */
  readonly areas: Float64Array;
  readonly volumes: Float64Array;
}

/** Even cells from `INNER_RADIUS` to `SEPARATRIX`. */
export function makeGrid(cells: number): Grid {
  const dr = (SEPARATRIX - INNER_RADIUS) / cells;
  const centres = Float64Array.from({ length: cells }, (_, i) => INNER_RADIUS + (i + 0.5) * dr);
  const faces = Float64Array.from({ length: cells + 1 }, (_, i) => INNER_RADIUS + i * dr);
  const around = 4 * Math.PI * Math.PI * MAJOR_RADIUS;
  return {
    cells,
    dr,
    centres,
    faces,
    areas: faces.map((r) => around * r),
    volumes: centres.map((r) => around * r * dr),
  };
}
