/** How the surface warms: an energy balance with heat carried along the sphere (North, Cahalan & Coakley 1981). */
import type { Grid } from "./grid.ts";

/** Heat transport and heat loss to space [W/m2/K]. */
export const TRANSPORT = 0.649;
export const LOSS = 2.09;
const TOLERANCE = 1e-12;
const MOST_ITERATIONS = 2000;

/**
 * Warming [K] by a forcing [W/m2]: -div(D grad T) + B T = F on the unit sphere, cell by cell, so that gains equal losses;
 * conjugate gradients with a diagonal preconditioner until the residual has fallen by 1e-12.
 */
export function warming(grid: Grid, forcing: Float64Array): Float64Array {
  const { lats, lons, lat, edge, area, dLat, dLon } = grid;
  const count = lats * lons;
  const east = lat.map((angle) => (TRANSPORT * dLat) / (Math.cos(angle) * dLon));
  const south = edge.map((angle, i) => (i === 0 || i === lats ? 0 : (TRANSPORT * Math.cos(angle) * dLon) / dLat));
  const apply = (field: Float64Array, out: Float64Array): void => {
    for (let i = 0; i < lats; i++) {
      for (let j = 0; j < lons; j++) {
        const cell = i * lons + j;
        const here = field[cell]!;
        let sum = LOSS * area[i]! * here;
        sum += east[i]! * (2 * here - field[i * lons + ((j + 1) % lons)]! - field[i * lons + ((j + lons - 1) % lons)]!);
        if (i > 0) sum += south[i]! * (here - field[cell - lons]!);
        if (i < lats - 1) sum += south[i + 1]! * (here - field[cell + lons]!);
        out[cell] = sum;
      }
    }
  };
  const diagonal = lat.map((_, i) => LOSS * area[i]! + 2 * east[i]! + south[i]! + south[i + 1]!);
  const rowOf = (cell: number): number => Math.floor(cell / lons);

  const t = new Float64Array(count);
  const residual = forcing.map((value, cell) => value * area[rowOf(cell)]!);
  const preconditioned = residual.map((value, cell) => value / diagonal[rowOf(cell)]!);
  const direction = preconditioned.slice();
  const image = new Float64Array(count);
  let rho = dot(residual, preconditioned);
  const enough = dot(residual, residual) * TOLERANCE * TOLERANCE;
  for (let n = 0; n < MOST_ITERATIONS && dot(residual, residual) > enough; n++) {
    apply(direction, image);
    const alpha = rho / dot(direction, image);
    for (let cell = 0; cell < count; cell++) {
      t[cell]! += alpha * direction[cell]!;
      residual[cell]! -= alpha * image[cell]!;
      preconditioned[cell] = residual[cell]! / diagonal[rowOf(cell)]!;
    }
    const next = dot(residual, preconditioned);
    const beta = next / rho;
    rho = next;
    for (let cell = 0; cell < count; cell++) direction[cell] = preconditioned[cell]! + beta * direction[cell]!;
  }
  return t;
}

function dot(a: Float64Array, b: Float64Array): number {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += a[i]! * b[i]!;
  return sum;
}
