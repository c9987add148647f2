import { expect, test } from "vitest";
import { ots, plasmaAt } from "../../cases/ots/index.ts";
import { ELECTRON_NM, ION_NM, makeIonChannel, makeSpectrometer } from "../../cases/ots/spectrometer.ts";
import { makeStructureFactor, type ScatteringPlasma } from "../../cases/ots/structure-factor.ts";
import { expectContract, largestChange, outputsOf, randomInputs, unitInputs } from "./kernels/case-laws.ts";

const LIGHT = 2.99792458e8;
const PROBE = 526.5;
/** The fixed wave number of the checks: 90 degrees in vacuum, no shift [rad/m]. */
const K = (Math.SQRT2 * 2 * Math.PI) / (PROBE * 1e-9);
const base: ScatteringPlasma = { ne: 1e19, te: 600, ti: 600, z: 10, drift: 0 };

const frequencyOf = (nm: number): number => 2 * Math.PI * LIGHT * 1e9 * (1 / nm - 1 / PROBE);

/** int S dw / (2 pi) at K, with nodes dense around w = 0 where the ions are. */
function total(plasma: ScatteringPlasma): number {
  const factor = makeStructureFactor(plasma);
  const width = 0.2 * K * factor.ionSpeed;
  const edge = Math.asinh((8 * K * factor.electronSpeed) / width);
  const steps = 40_000;
  let sum = 0;
  for (let i = 0; i <= steps; i++) {
    const t = -edge + (2 * edge * i) / steps;
    sum += factor.at(K, width * Math.sinh(t)) * width * Math.cosh(t);
  }
  return (sum * 2 * edge) / steps / (2 * Math.PI);
}

/** Wavelength between `low` and `high` where S(K, w) is greatest. */
function peak(plasma: ScatteringPlasma, low: number, high: number): number {
  const factor = makeStructureFactor(plasma);
  const places = Array.from({ length: 4001 }, (_, i) => low + ((high - low) * i) / 4000);
  const values = places.map((nm) => factor.at(K, frequencyOf(nm)));
  return places[values.indexOf(Math.max(...values))]!;
}

test("with equal temperatures the integral of S is the static structure factor, exactly", () => {
  const alpha = 1 / (K * makeStructureFactor(base).debyeLength);
  expect(alpha).toBeCloseTo(1.02898, 5);
  const a2 = alpha * alpha;
  const wanted = (1 + base.z * a2) / (1 + a2 + base.z * a2);
  expect(wanted).toBeCloseTo(0.9162792, 6);
  expect(Math.abs(total(base) / wanted - 1)).toBeLessThan(1e-5);
  const salpeter = 1 / (1 + a2) + (base.z * a2 * a2) / ((1 + a2) * (1 + a2 + base.z * a2));
  expect(Math.abs(salpeter - wanted)).toBeLessThan(1e-12);
});

test("with Te = 3 Ti the integral of S is the reference value", () => {
  expect(total({ ...base, ti: 200 })).toBeCloseTo(0.7897, 4); // independent calculation; no closed form holds
});

test("the ion-acoustic peaks lie where the dispersion relation puts them", () => {
  const plasma = { ...base, ti: 100 };
  const a2 = 1 / (K * makeStructureFactor(plasma).debyeLength) ** 2;
  const energy = ((plasma.z * plasma.te * a2) / (1 + a2) + 3 * plasma.ti) * 1.602176634e-19;
  const speed = Math.sqrt(energy / (26.98 * 1.6605390666e-27));
  const shift = (PROBE ** 2 * 1e-9 * K * speed) / (2 * Math.PI * LIGHT);
  expect(shift).toBeCloseTo(0.2734, 3);
  for (const [nm, low, high] of [
    [526.229, 526, 526.4],
    [526.771, 526.6, 527],
  ] as const) {
    const found = peak(plasma, low, high);
    expect(Math.abs(Math.abs(found - PROBE) / shift - 1)).toBeLessThan(0.02);
    // the reference peaks, to 2 % of the shift: ours lie at 526.226 and 526.774
    expect(Math.abs(found - nm)).toBeLessThan(0.02 * shift);
  }
});

test("the red electron peak lies within 1 % of Bohm and Gross", () => {
  // ours 616.6 nm at fixed k; Bohm-Gross 611.9, the independent calculation 613.9: all within 1 %
  const plasma = { ...base, ne: 5e19 };
  const factor = makeStructureFactor(plasma);
  const shift = Math.sqrt(factor.plasmaFrequencySquared + 1.5 * (K * factor.electronSpeed) ** 2);
  const bohmGross = (2 * Math.PI * LIGHT * 1e9) / ((2 * Math.PI * LIGHT * 1e9) / PROBE - shift);
  expect(bohmGross).toBeCloseTo(611.9, 1);
  const found = peak(plasma, 580, 640);
  expect(Math.abs(found / bohmGross - 1)).toBeLessThan(0.01);
  expect(Math.abs(found / 613.9 - 1)).toBeLessThan(0.01);
});

test("S is even in w without drift; a drift of the other sign mirrors it", () => {
  const [still, ahead, back] = [0, 0.1, -0.1].map((drift) => makeStructureFactor({ ...base, ti: 150, drift }));
  const speed = K * still!.ionSpeed;
  for (const x of [0.1, 1, 3, 5.3, 40, 200]) {
    const w = x * speed;
    expect(Math.abs(still!.at(K, w) / still!.at(K, -w) - 1)).toBeLessThan(1e-12);
    expect(Math.abs(ahead!.at(K, w) / back!.at(K, -w) - 1)).toBeLessThan(1e-12);
  }
  const blue = peak({ ...base, ti: 150, drift: 0.1 }, 526.1, 526.4);
  expect(ahead!.at(K, frequencyOf(blue)) / ahead!.at(K, -frequencyOf(blue))).toBeGreaterThan(1.2);
});

test("the electron channel integrates to the static structure factor, however narrow the plasma line is", () => {
  // Te = Ti, alpha = 4.6: the line is 1e-4 nm wide. The correction 1 + 2w/w0 and k(w) leave some 5 %.
  const plasma = { ne: 8e19, te: 250, ti: 250, z: 5, drift: 0 };
  const { electron } = makeSpectrometer()(plasma);
  const area = electron.reduce((sum, y) => sum + y, 0) * (ELECTRON_NM[1]! - ELECTRON_NM[0]!);
  const a2 = 1 / (K * makeStructureFactor(plasma).debyeLength) ** 2;
  const wanted = (1 + plasma.z * a2) / (1 + a2 + plasma.z * a2);
  expect(Math.abs(area / (2 * Math.PI) / wanted - 1)).toBeLessThan(0.05);
});

test("the ion channel shows the two peaks further apart in hotter plasma", () => {
  const spread = (te: number): number => {
    const { ion } = outputsOf(ots.simulate(unitInputs(ots, [2e19, te, 0.15, 10, 0])));
    const values = Array.from(ion!);
    const middle = ION_NM.findIndex((nm) => nm > PROBE);
    const left = values.indexOf(Math.max(...values.slice(0, middle)));
    const right = values.indexOf(Math.max(...values.slice(middle)));
    return ION_NM[right]! - ION_NM[left]!;
  };
  expect(spread(1200) / spread(400)).toBeGreaterThan(1.4);
  expect(spread(1200) / spread(400)).toBeLessThan(1.9);
});

test("no plasma of the box drives ion-acoustic waves, which would leave no stationary spectrum", () => {
  // The specification's drift of up to 0.15 sqrt(2 Te / m) is unstable in 57 % of its box: there S has no meaning, and
  // it diverges at the border. The drift is therefore an input in units of the ion-acoustic speed, up to 0.8.
  const eps = new Float64Array(2);
  let waves = 0;
  for (const u of randomInputs(5, 300, 2)) {
    const plasma = plasmaAt(u);
    const factor = makeStructureFactor({ ...plasma, drift: Math.abs(plasma.drift) });
    let before = 0;
    for (let speed = 0.16 * factor.electronSpeed; speed > 0.8 * factor.ionSpeed; speed *= 0.99) {
      factor.permittivityInto(eps, K, K * speed);
      if (before * eps[0]! < 0) {
        waves++;
        expect(eps[1]).toBeGreaterThan(0);
        break;
      }
      before = eps[0]!;
    }
  }
  expect(waves).toBeGreaterThan(200);
});

test("the case keeps its contract", () => expectContract(ots, 2));

test("doubling every rule changes the ion spectrum by less than 0.5 % of its range", () => {
  // measured 0.04 %; at worst 0.08 % in seventeen plasmas, two corners among them
  const at = (resolution: number) => {
    const channel = makeIonChannel(resolution);
    return (u: Float64Array) => ({ status: "ok", outputs: { ion: channel(plasmaAt(u)) } }) as const;
  };
  expect(largestChange(at(1), at(2), "ion", 5)).toBeLessThan(0.005);
});
