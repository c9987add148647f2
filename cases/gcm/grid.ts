/** Cells of equal steps in latitude and longitude on the sphere; cell (i, j) is element i lons + j, from the south pole. */

/** Radius of the Earth [m]. */
export const EARTH_RADIUS = 6.371e6;

export interface Grid {
  readonly lats: number;
  readonly lons: number;
  /** Steps [rad]. */
  readonly dLat: number;
  readonly dLon: number;
  /** Cell centres [rad]; longitudes from 0 to 2 pi. */
  readonly lat: Float64Array;
  readonly lon: Float64Array;
  /** Latitudes of the faces between rows, one more than rows [rad]. */
  readonly edge: Float64Array;
  /** Area of a cell of each row on the unit sphere. */
  readonly area: Float64Array;
}

/** A grid of `lats` by `lons` cells. */
export function makeGrid(lats: number, lons: number): Grid {
  const dLat = Math.PI / lats;
  const dLon = (2 * Math.PI) / lons;
  const edge = Float64Array.from({ length: lats + 1 }, (_, i) => -Math.PI / 2 + i * dLat);
  return {
    lats,
    lons,
    dLat,
    dLon,
    lat: Float64Array.from({ length: lats }, (_, i) => -Math.PI / 2 + (i + 0.5) * dLat),
    lon: Float64Array.from({ length: lons }, (_, j) => (j + 0.5) * dLon),
    edge,
    area: Float64Array.from({ length: lats }, (_, i) => dLon * (Math.sin(edge[i + 1]!) - Math.sin(edge[i]!))),
  };
}

/** Integral of a field over the unit sphere. */
export function integrate(grid: Grid, field: Float64Array): number {
  let sum = 0;
  for (let i = 0; i < grid.lats; i++) {
    let row = 0;
    for (let j = 0; j < grid.lons; j++) row += field[i * grid.lons + j]!;
    sum += row * grid.area[i]!;
  }
  return sum;
}

/** Mean of a field over the sphere, by area. */
export function areaMean(grid: Grid, field: Float64Array): number {
  return integrate(grid, field) / (4 * Math.PI);
}
