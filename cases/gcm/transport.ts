/** How the wind carries a tracer and eddies spread it. */
import { EARTH_RADIUS, type Grid } from "./grid.ts";
import type { Wind } from "./wind.ts";

/** Diffusivity of the eddies [m2/s]; along circles of latitude times cos^2(lat), or the polar step would be unstable. */
const DIFFUSIVITY = 2e6;

/** Flow through faces from both, and buffers for the fluxes. */
export interface Transport {
  readonly grid: Grid;
  readonly wind: Wind;
  /** Diffusive exchange per difference of the tracer [m2/s] across east faces by row, and across south faces. */
  readonly eastExchange: Float64Array;
  readonly southExchange: Float64Array;
  readonly eastFlux: Float64Array;
  readonly southFlux: Float64Array;
}

/** Transport by `wind`. */
export function makeTransport(grid: Grid, wind: Wind): Transport {
  const { lats, lons, lat, edge, dLat, dLon } = grid;
  const southExchange = edge.map((angle) => (DIFFUSIVITY * Math.cos(angle) * dLon) / dLat);
  southExchange[0] = 0;
  southExchange[lats] = 0;
  return {
    grid,
    wind,
    eastExchange: lat.map((angle) => (DIFFUSIVITY * Math.cos(angle) * dLat) / dLon),
    southExchange,
    eastFlux: new Float64Array(lats * lons),
    southFlux: new Float64Array((lats + 1) * lons),
  };
}

/** Advances a tracer [kg/m2] by `dt` seconds: upwind fluxes with van Leer's limited slopes (1974), forward Euler. */
export function advance(tracer: Float64Array, transport: Transport, dt: number): void {
  const { grid, wind, eastExchange, southExchange, eastFlux, southFlux } = transport;
  const { lats, lons, area } = grid;
  for (let i = 0; i < lats; i++) {
    const row = i * lons;
    for (let j = 0; j < lons; j++) {
      const east = row + (j + 1 === lons ? 0 : j + 1);
      const here = tracer[row + j]!;
      const there = tracer[east]!;
      const flow = wind.east[row + j]!;
      let face: number;
      if (flow >= 0) face = here + halfSlope(here - tracer[row + (j === 0 ? lons - 1 : j - 1)]!, there - here);
      else face = there - halfSlope(there - here, tracer[row + ((j + 2) % lons)]! - there);
      eastFlux[row + j] = flow * face - eastExchange[i]! * (there - here);
    }
  }
  for (let i = 1; i < lats; i++) {
    const row = i * lons;
    for (let j = 0; j < lons; j++) {
      const here = tracer[row + j]!;
      const below = tracer[row - lons + j]!;
      const flow = wind.south[row + j]!;
      let face: number;
      if (flow >= 0) face = below + (i > 1 ? halfSlope(below - tracer[row - 2 * lons + j]!, here - below) : 0);
      else face = here - (i < lats - 1 ? halfSlope(here - below, tracer[row + lons + j]! - here) : 0);
      southFlux[row + j] = flow * face - southExchange[i]! * (here - below);
    }
  }
  for (let i = 0; i < lats; i++) {
    const row = i * lons;
    const share = dt / (area[i]! * EARTH_RADIUS * EARTH_RADIUS);
    for (let j = 0; j < lons; j++) {
      const west = eastFlux[row + (j === 0 ? lons - 1 : j - 1)]!;
      const net = west - eastFlux[row + j]! + southFlux[row + j]! - southFlux[row + lons + j]!;
      tracer[row + j] = tracer[row + j]! + share * net;
    }
  }
}

/** Half of van Leer's slope: the harmonic mean of two differences, 0 at an extremum. */
function halfSlope(a: number, b: number): number {
  return a * b > 0 ? (a * b) / (a + b) : 0;
}
