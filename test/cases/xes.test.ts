import { expect, test } from "vitest";
import { chargeOf, ION_DENSITY, stateEnergies, stateOf, STATES } from "../../cases/xes/atom.ts";
import { ENERGIES, makeXes, xes } from "../../cases/xes/index.ts";
import { type AfterPulse, runPulse } from "../../cases/xes/pulse.ts";
import { type Drive, makeRateEquations, type RateEquations } from "../../cases/xes/rates.ts";
import { expectContract, largestChange, outputsOf, unitInputs } from "./kernels/case-laws.ts";

const base: Drive = { photon: 1750, bandwidth: 0.004, lowering: 1, collisions: 1, auger: 1, radiation: 1 };

/** Photons in the line of an ion with one K hole and l L electrons. */
function photonsOf({ lines }: RateEquations, { photons }: AfterPulse, l: number): number {
  return photons[lines.findIndex(({ from }) => from === stateOf(1, l))]!;
}

/**
 * Stationary populations of I - step A without subtractions (Grassmann, Taksar & Heyman 1985): K electrons leave a million
 * times slower than L electrons, and plain elimination would lose that to rounding.
 */
function stationary(matrix: Float64Array): Float64Array {
  const q = Array.from({ length: STATES }, (_, i) =>
    Float64Array.from({ length: STATES }, (_, j) => (i === j ? 0 : -matrix[j * STATES + i]!)),
  );
  for (let n = STATES - 1; n > 0; n--) {
    const out = sum(q[n]!.subarray(0, n));
    for (let i = 0; i < n; i++) {
      q[i]![n]! /= out;
      for (let j = 0; j < n; j++) q[i]![j]! += q[i]![n]! * q[n]![j]!;
    }
  }
  const p = new Float64Array(STATES);
  p[0] = 1;
  for (let n = 1; n < STATES; n++) for (let i = 0; i < n; i++) p[n]! += p[i]! * q[i]![n]!;
  return p;
}

const sum = (values: Float64Array): number => values.reduce((total, x) => total + x, 0);

test("populations stay whole and the energy ledger closes", () => {
  const equations = makeRateEquations(base);
  const run = runPulse(equations, 1e17, 60e-15, base.photon);
  expect(Math.abs(sum(run.populations) - 1)).toBeLessThan(1e-12);
  expect(Math.min(...run.populations)).toBeGreaterThanOrEqual(0);
  expect(Math.abs(run.after - run.before - run.absorbed + run.emitted) / run.after).toBeLessThan(1e-10);
  const lightEnergy = equations.lines.reduce((total, { energy }, j) => total + energy * run.photons[j]!, 0);
  expect(Math.abs(lightEnergy / run.emitted - 1)).toBeLessThan(1e-10);
});

test("a weak pulse gives the fluorescence yield of cold aluminium, all in the K-alpha line", () => {
  const equations = makeRateEquations({ ...base, photon: 1650 });
  const run = runPulse(equations, 1e12, 60e-15, 1650);
  const wanted = ((1.6 / (1.6 + 0.15)) * 2.4e13) / (2.4e13 + 5.9e14);
  expect(wanted).toBeCloseTo(0.03574, 5);
  expect(Math.abs(sum(run.photons) / run.absorbedPhotons / wanted - 1)).toBeLessThan(0.01);
  expect(photonsOf(equations, run, 8) / sum(run.photons)).toBeGreaterThan(0.999);
});

test("without light the steady state of a hot plasma obeys Saha's ratio for every pair of neighbours", () => {
  const equations = makeRateEquations({ ...base, auger: 0, radiation: 0 });
  const te = 150;
  const ne = 9 * ION_DENSITY;
  const matrix = new Float64Array(STATES * STATES);
  equations.subtractInto(matrix, 1e-15, 0, te, ne);
  const p = stationary(matrix);
  const choose = (n: number, k: number): number => (k === 0 ? 1 : (choose(n, k - 1) * (n - k + 1)) / k);
  const expected = (k: number, l: number, k2: number, l2: number): number => {
    const rise = Math.max(5, equations.energies[stateOf(k2, l2)]! - equations.energies[stateOf(k, l)]!);
    const weights = (choose(2, k2) * choose(8, l2)) / (choose(2, k) * choose(8, l));
    return (weights * te ** 1.5 * Math.exp(-rise / te)) / (ne * 1.6559e-22);
  };
  let pairs = 0;
  for (let k = 0; k <= 2; k++) {
    for (let l = 0; l <= 8; l++) {
      for (const [k2, l2] of [
        [k - 1, l],
        [k, l - 1],
      ] as const) {
        if (k2 < 0 || l2 < 0) continue;
        const ratio = p[stateOf(k2, l2)]! / p[stateOf(k, l)]!;
        expect(Math.abs(ratio / expected(k, l, k2, l2) - 1)).toBeLessThan(1e-8);
        pairs++;
      }
    }
  }
  expect(pairs).toBe(42);
});

test("the lowered K edges are those of the specification", () => {
  const energies = stateEnergies(1);
  const wanted = [1836, 1818, 1779, 1717, 1679, 1645, 1602, 1574, 1549];
  wanted.forEach((edge, l) => {
    expect(Math.abs(energies[stateOf(1, l)]! - energies[stateOf(2, l)]! - edge)).toBeLessThan(1);
  });
  expect(chargeOf(2, 8)).toBe(3);
});

test("without collisions only ions whose edge lies below the photon energy shine", () => {
  const equations = makeRateEquations({ ...base, photon: 1590, collisions: 0 });
  const run = runPulse(equations, 1e16, 60e-15, 1590);
  const main = photonsOf(equations, run, 8);
  for (const l of [5, 4, 3, 2, 1]) expect(photonsOf(equations, run, l) / main).toBeLessThan(1e-5);
  expect(photonsOf(equations, run, 7) / main).toBeCloseTo(0.03, 2);
});

test("one pulse of 1e17 W/cm² matches the reference", () => {
  // an independent calculation with 400 steps; ours takes 700, which moves the weakest line by 0.9 %
  const equations = makeRateEquations(base);
  const run = runPulse(equations, 1e17, 60e-15, 1750);
  expect(Math.abs(run.temperature / 131.8 - 1)).toBeLessThan(0.01);
  expect(Math.abs(run.charge / 9.386 - 1)).toBeLessThan(0.01);
  [4.14e-3, 5.76e-3, 1.057e-2, 1.914e-2, 3.124e-2].forEach((wanted, i) => {
    expect(Math.abs(photonsOf(equations, run, 8 - i) / wanted - 1)).toBeLessThan(0.01);
  });
});

test("more lowering switches on lines that a photon energy could not reach", () => {
  const bright = (lowering: number): number => {
    const { spectrum } = outputsOf(xes.simulate(unitInputs(xes, [1600, 3e16, 60, 0.4, lowering, 0.3, 1, 3])));
    const at = ENERGIES.findIndex((energy) => energy >= 1511);
    return spectrum![at]! / Math.max(...spectrum!);
  };
  expect(bright(1.3)).toBeGreaterThan(2 * bright(0.6));
});

test("the case keeps its contract", () => expectContract(xes, 0));

test("halving the time step changes the spectrum by less than 0.5 % of its range", () => {
  // measured 0.4 %; the 400 steps of the specification leave 0.65 %, so the case takes 700
  expect(largestChange(makeXes(700), makeXes(1400), "spectrum", 8)).toBeLessThan(0.005);
});
