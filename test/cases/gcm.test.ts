import { describe, expect, it } from "vitest";
import { emissionMap, TERAGRAM, TOTAL_EMISSION, YEAR_SECONDS } from "../../cases/gcm/emission.ts";
import { areaMean, EARTH_RADIUS, integrate, makeGrid } from "../../cases/gcm/grid.ts";
import { gcm, simulateGcm, stations } from "../../cases/gcm/index.ts";
import { mie } from "../../cases/gcm/mie.ts";
import { DENSITY, massAbsorption, REAL_INDEX, WAVELENGTH } from "../../cases/gcm/optics.ts";
import { LOSS, TRANSPORT, warming } from "../../cases/gcm/response.ts";
import { carry, runAerosol } from "../../cases/gcm/run.ts";
import { advance, makeTransport } from "../../cases/gcm/transport.ts";
import { makeWind } from "../../cases/gcm/wind.ts";
import { makeRng } from "../../src/rng.ts";

const grid = makeGrid(48, 96);
const within = (value: number, golden: number, share: number): void => {
  expect(Math.abs(value / golden - 1)).toBeLessThan(share);
};
const largest = (values: Float64Array): number => values.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
const aaodOf = (u: Float64Array, options = {}): Float64Array => {
  const run = simulateGcm(u, options);
  if (run.status === "failed") throw new Error(run.reason);
  return run.outputs["aaod"]!;
};

describe("mie()", () => {
  it("agrees with published efficiencies", () => {
    // Bohren & Huffman (1983), p. 482: 3.10543 for m = 1.55, x = 5.213; Wiscombe (1979), table of m = 1.5 + i.
    const clear = mie(5.21282, 1.55, 0);
    within(clear.extinction, 3.105425, 1e-5);
    within(clear.scattering, 3.105425, 1e-5);
    const small = mie(1, 1.5, 1);
    within(small.extinction, 2.336321, 1e-5);
    within(small.scattering, 0.663454, 1e-5);
    const large = mie(100, 1.5, 1);
    within(large.extinction, 2.097502, 1e-5);
    within(large.scattering, 1.283697, 1e-5);
  });

  it("absorbs by volume where spheres are tiny", () => {
    // 6 pi / (rho lambda) Im((m^2 - 1) / (m^2 + 2)) = 4.1498 m2/g at k = 0.6.
    const r = 1e-4;
    const { extinction, scattering } = mie((2 * Math.PI * r) / WAVELENGTH, REAL_INDEX, 0.6);
    within(((0.75 * (extinction - scattering)) / r) * (1e6 / DENSITY), 4.1498, 1e-3);
  });
});

describe("massAbsorption()", () => {
  it("gives the reference value, and twice the radii change nothing", () => {
    within(massAbsorption(0.6), 5.202, 1e-3);
    within(massAbsorption(0.6, 400), massAbsorption(0.6), 1e-3);
  });
});

describe("transport", () => {
  const wind = makeWind(grid);

  it("has wind without divergence, and none through the poles", () => {
    const size = Math.max(largest(wind.east), largest(wind.south));
    let worst = 0;
    for (let i = 0; i < 48; i++) {
      for (let j = 0; j < 96; j++) {
        const cell = i * 96 + j;
        const west = wind.east[i * 96 + ((j + 95) % 96)]!;
        worst = Math.max(worst, Math.abs(wind.east[cell]! - west + wind.south[cell + 96]! - wind.south[cell]!));
      }
    }
    expect(worst).toBeLessThan(1e-12 * size);
    expect(largest(wind.south.subarray(0, 96))).toBe(0);
    expect(largest(wind.south.subarray(48 * 96))).toBe(0);
  });

  it("blows as strongly as its formula says", () => {
    // u at 45.0 (face from 43.125 to 46.875 is centred there): 12 + 12 exp(-36) - 6 exp(-(45/14)^2) m/s, less the wave,
    // which cancels in the mean around the circle.
    const row = wind.east.subarray(35 * 96, 36 * 96);
    const lat = (grid.lat[35]! * 180) / Math.PI;
    const mean = row.reduce((sum, flow) => sum + flow, 0) / 96 / (EARTH_RADIUS * grid.dLat);
    const u = 12 * Math.exp(-(((lat - 45) / 15) ** 2)) - 6 * Math.exp(-((lat / 14) ** 2));
    within(mean, u, 0.01);
  });

  it("leaves a uniform field uniform and a bump's mass as it was", () => {
    const transport = makeTransport(grid, wind);
    const field = new Float64Array(48 * 96).fill(1);
    for (let step = 0; step < 100; step++) advance(field, transport, 3600);
    expect(largest(field.map((value) => value - 1))).toBeLessThan(1e-12);
    field.fill(0)[20 * 96 + 7] = 1;
    const before = integrate(grid, field);
    for (let step = 0; step < 100; step++) advance(field, transport, 3600);
    within(integrate(grid, field), before, 1e-12);
    expect(largest(field)).toBeLessThan(0.5);
    expect(Math.min(...field)).toBeGreaterThanOrEqual(0);
  });
});

describe("carry()", () => {
  it("keeps all that is emitted where nothing is lost", () => {
    const emitted = (integrate(grid, emissionMap(grid)) * EARTH_RADIUS ** 2 * YEAR_SECONDS) / TERAGRAM;
    within(emitted, 7.8, 1e-12);
    within(TOTAL_EMISSION, 7.8, 1e-12);
    const { fresh, aged } = carry({ emission: 1, wetRemoval: 1 }, { days: 5, losses: false });
    const mass = (integrate(grid, fresh) + integrate(grid, aged)) * EARTH_RADIUS ** 2;
    within(mass, (7.8 * TERAGRAM * 5 * 86400) / YEAR_SECONDS, 1e-12);
    within(integrate(grid, fresh) * EARTH_RADIUS ** 2, 0.8 * mass, 1e-12);
  });
});

describe("warming()", () => {
  it("balances gains and losses", () => {
    const rng = makeRng(1);
    const forcing = Float64Array.from({ length: 48 * 96 }, () => rng.uniform());
    const t = warming(grid, forcing);
    within(LOSS * areaMean(grid, t), areaMean(grid, forcing), 1e-10);
  });

  it("answers a uniform forcing of 4 W/m2 with 1.914 K everywhere", () => {
    const t = warming(grid, new Float64Array(48 * 96).fill(4));
    for (const value of t) expect(value).toBeCloseTo(4 / 2.09, 9);
    expect(4 / 2.09).toBeCloseTo(1.914, 3);
  });

  it("damps the pattern P2(sin lat) by B + 6 D", () => {
    const p2 = Float64Array.from({ length: 48 * 96 }, (_, cell) => {
      const sine = Math.sin(grid.lat[Math.floor(cell / 96)]!);
      return (3 * sine * sine - 1) / 2;
    });
    const t = warming(grid, p2);
    const scale = 1 / (LOSS + 6 * TRANSPORT);
    expect(largest(t.map((value, cell) => value - scale * p2[cell]!))).toBeLessThan(0.01 * scale);
  });
});

describe("gcm", () => {
  const middle = { emission: 1, wetRemoval: 1, k: 0.6 };

  it("gives the reference burden, lifetimes and absorption", () => {
    const burden = (wetRemoval: number): number => {
      const { fresh, aged } = carry({ emission: 1, wetRemoval });
      return ((integrate(grid, fresh) + integrate(grid, aged)) * EARTH_RADIUS ** 2) / TERAGRAM;
    };
    const run = runAerosol(middle);
    const mass = integrate(grid, run.fresh) + integrate(grid, run.aged);
    within((mass * EARTH_RADIUS ** 2) / TERAGRAM, 0.1234, 0.01);
    within(((mass * EARTH_RADIUS ** 2) / TERAGRAM / 7.8) * 365.25, 5.78, 0.01);
    within(areaMean(grid, run.aaod), 0.0018, 0.01);
    within((burden(1 / 3) / 7.8) * 365.25, 10.43, 0.01);
    within((burden(3) / 7.8) * 365.25, 2.95, 0.01);
  });

  it("doubles its absorption exactly with the emission", () => {
    const once = runAerosol(middle, { days: 10 }).aaod;
    const twice = runAerosol({ ...middle, emission: 2 }, { days: 10 }).aaod;
    expect(twice).toEqual(once.map((value) => 2 * value));
    expect(largest(once)).toBeGreaterThan(0.001);
  });

  it("sees 60 different stations with 20 % noise and no other cell", () => {
    const noise = gcm.inverse.noise("aaod", new Float64Array(48 * 96).fill(3));
    expect(new Set(stations).size).toBe(60);
    expect(noise.filter(Number.isFinite)).toEqual(new Float64Array(60).fill(0.2 * 3));
  });

  it("converges: half the step changes no cell by 0.5 % of the map's range, half the cells little", () => {
    // 15 days of the 60, to spare time.
    const rng = makeRng(4);
    for (let n = 0; n < 5; n++) {
      const u = Float64Array.from({ length: 3 }, () => rng.uniform());
      const coarse = aaodOf(u, { days: 15 });
      const fine = aaodOf(u, { days: 15, dt: 1800 });
      expect(largest(coarse.map((value, cell) => value - fine[cell]!))).toBeLessThan(0.005 * largest(coarse));
    }
    const u = Float64Array.of(0.5, 0.5, 0.7);
    const coarse = aaodOf(u, { days: 15 });
    const fine = aaodOf(u, { days: 15, dt: 1800, lats: 96, lons: 192 });
    const change = coarse.map((value, cell) => {
      const corner = 2 * Math.floor(cell / 96) * 192 + 2 * (cell % 96);
      return value - (fine[corner]! + fine[corner + 1]! + fine[corner + 192]! + fine[corner + 193]!) / 4;
    });
    // Upwind slopes are limited at the peaks: there 1.2 % (after 60 days), over the map 0.1 % in root mean square.
    expect(Math.sqrt(change.reduce((sum, d) => sum + d * d, 0) / change.length)).toBeLessThan(0.002 * largest(coarse));
    expect(largest(change)).toBeLessThan(0.02 * largest(coarse));
  });
});
