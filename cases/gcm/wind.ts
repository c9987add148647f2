/** A steady wind without divergence: jets, trade winds and one standing wave. */
import { erf } from "../kernels/index.ts";
import { EARTH_RADIUS, type Grid } from "./grid.ts";

/** Winds as flow through the faces of cells, in m2/s (wind times the face's length). */
export interface Wind {
  /** Through the east face of cell (i, j), eastward. */
  readonly east: Float64Array;
  /** Through the face south of cell (i, j), northward; row `lats` is the north pole. Both poles are 0. */
  readonly south: Float64Array;
}

const DEGREE = Math.PI / 180;

/**
 * Differences of a stream function at the corners, -a int u dlat + 8e6 cos^3(lat) sin(3 lon - 0.7) m2/s, with u = 12
 * [exp(-((lat - 45) / 15)^2) + exp(-((lat + 45) / 15)^2)] - 6 exp(-(lat / 14)^2) m/s: no cell gains or loses air.
 */
export function makeWind(grid: Grid): Wind {
  const { lats, lons, edge, dLon } = grid;
  const corner = (i: number, j: number): number => {
    const wave = i === 0 || i === lats ? 0 : Math.cos(edge[i]!) ** 3 * Math.sin(3 * (j % lons) * dLon - 0.7);
    return -EARTH_RADIUS * jets(edge[i]! / DEGREE) + 8e6 * wave;
  };
  const east = new Float64Array(lats * lons);
  const south = new Float64Array((lats + 1) * lons);
  for (let i = 0; i <= lats; i++) {
    for (let j = 0; j < lons; j++) {
      south[i * lons + j] = corner(i, j + 1) - corner(i, j);
      if (i < lats) east[i * lons + j] = corner(i, j + 1) - corner(i + 1, j + 1);
    }
  }
  return { east, south };
}

/** Integral of u over latitude [m/s rad] up to `lat` degrees. */
function jets(lat: number): number {
  const bump = (centre: number, width: number): number =>
    (width * DEGREE * Math.sqrt(Math.PI) * erf((lat - centre) / width)) / 2;
  return 12 * (bump(45, 15) + bump(-45, 15)) - 6 * bump(0, 14);
}
