/** Where soot comes from: eight regions, 7.8 Tg a year in all (Dentener et al. 2006 in round numbers). */
import { EARTH_RADIUS, type Grid } from "./grid.ts";

/** Latitude, longitude [deg], Tg/yr, width [deg]. */
const REGIONS: readonly (readonly [number, number, number, number])[] = [
  [35, 113, 1.6, 9],
  [25, 80, 1.1, 8],
  [49, 12, 0.7, 9],
  [39, -85, 0.4, 10],
  [9, 15, 1.3, 10],
  [-12, 25, 1.4, 9],
  [-10, -57, 0.8, 9],
  [2, 110, 0.5, 8],
];

/** kg in a Tg, and seconds in a year of 365.25 days. */
export const TERAGRAM = 1e9;
export const YEAR_SECONDS = 365.25 * 86400;
const DEGREE = Math.PI / 180;

/** All emission [Tg/yr]. */
export const TOTAL_EMISSION = REGIONS.reduce((sum, [, , amount]) => sum + amount, 0);

/** Emission of each cell [kg/m2/s]: exp(-(distance / width)^2) along great circles, each region summing to its amount. */
export function emissionMap(grid: Grid): Float64Array {
  const { lats, lons, lat, lon, area } = grid;
  const map = new Float64Array(lats * lons);
  const spot = new Float64Array(lats * lons);
  for (const [latitude, longitude, amount, width] of REGIONS) {
    let sum = 0;
    for (let i = 0; i < lats; i++) {
      for (let j = 0; j < lons; j++) {
        const cosine =
          Math.sin(lat[i]!) * Math.sin(latitude * DEGREE) +
          Math.cos(lat[i]!) * Math.cos(latitude * DEGREE) * Math.cos(lon[j]! - longitude * DEGREE);
        const distance = Math.acos(Math.min(1, Math.max(-1, cosine))) / DEGREE;
        spot[i * lons + j] = Math.exp(-((distance / width) ** 2));
        sum += spot[i * lons + j]! * area[i]! * EARTH_RADIUS ** 2;
      }
    }
    const rate = (amount * TERAGRAM) / YEAR_SECONDS / sum;
    for (let cell = 0; cell < map.length; cell++) map[cell]! += rate * spot[cell]!;
  }
  return map;
}
