import { type Case, type CaseInput, physicalInputs, type Simulation } from "../case.ts";
import { gaussianConvolveInto, SIGMA_PER_FWHM } from "../kernels/index.ts";
import { runPulse } from "./pulse.ts";
import { makeRateEquations } from "./rates.ts";

/** Photon energies of the spectrum [eV]. */
export const ENERGIES: readonly number[] = Array.from({ length: 250 }, (_, i) => 1460 + (250 * i) / 249);

/** The focus: intensities peak exp(-s), s evenly from 0 to 4, stand for equal areas of a Gaussian spot. */
const SHELLS = 10;
const DEPTH = 4;
/** Natural and unresolved width of a line [eV]. */
const LINE_SIGMA = 2.5;

const inputs: readonly CaseInput[] = [
  { name: "photonEnergy", unit: "eV", low: 1580, high: 1830, scale: "linear", about: "Photon energy of the laser." },
  { name: "intensity", unit: "W/cm^2", low: 1e16, high: 5e17, scale: "log", about: "Peak intensity." },
  { name: "duration", unit: "fs", low: 20, high: 120, scale: "log", about: "Full width of the pulse at half maximum." },
  { name: "bandwidth", unit: "%", low: 0.2, high: 1, scale: "linear", about: "Relative bandwidth of the laser." },
  { name: "lowering", unit: "", low: 0.5, high: 1.3, scale: "linear", about: "Factor on the continuum lowering." },
  { name: "collisions", unit: "", low: 0.3, high: 3, scale: "log", about: "Factor on the collision rates." },
  { name: "auger", unit: "", low: 0.8, high: 1.2, scale: "linear", about: "Factor on the Auger rates." },
  { name: "resolution", unit: "eV", low: 2, high: 6, scale: "linear", about: "Full width of the spectrometer." },
];

/** The simulator. @param steps of time a pulse; with 400 halving the step would still move the spectrum by 0.65 % */
export function makeXes(steps = 700): (u: Float64Array) => Simulation {
  return (u) => {
    const [photon, peak, duration, bandwidth, lowering, collisions, auger, resolution] = physicalInputs(inputs, u);
    const drive = {
      photon: photon!,
      bandwidth: bandwidth! / 100,
      lowering: lowering!,
      collisions: collisions!,
      auger: auger!,
      radiation: 1,
    };
    const equations = makeRateEquations(drive);
    const shells = Array.from({ length: SHELLS }, (_, i) =>
      runPulse(equations, peak! * Math.exp((-DEPTH * i) / (SHELLS - 1)), duration! * 1e-15, photon!, steps),
    );
    if (!shells.every(({ temperature }) => temperature > 0)) {
      return { status: "failed", reason: "the electron temperature fell below zero" };
    }
    const lines = equations.lines
      .map(({ energy }, j) => ({ energy, photons: shells.reduce((sum, shell) => sum + shell.photons[j]!, 0) }))
      .sort((a, b) => a.energy - b.energy);
    const spectrum = new Float64Array(ENERGIES.length);
    gaussianConvolveInto(
      spectrum,
      ENERGIES,
      Float64Array.from(lines, ({ energy }) => energy),
      Float64Array.from(lines, ({ photons }) => photons),
      Math.hypot(resolution! * SIGMA_PER_FWHM, LINE_SIGMA),
    );
    const { temperature, charge } = shells[0]!;
    return {
      status: "ok",
      outputs: { spectrum, temperature: Float64Array.of(temperature), charge: Float64Array.of(charge) },
    };
  };
}

const simulate = makeXes();

/** X-ray emission spectroscopy: a free-electron laser turns solid aluminium to plasma -> its K-alpha spectrum. */
export const xes: Case = {
  name: "xes",
  title: "X-ray emission spectroscopy",
  about: "K-alpha emission of solid aluminium driven by an x-ray laser.",
  source: [
    "Vinko et al., Nature 482, 59 (2012)",
    "Ciricosta et al., Phys. Rev. Lett. 109, 065002 (2012)",
    "Lotz, Z. Phys. 216, 241 (1968)",
  ],
  inputs,
  outputs: [
    {
      name: "spectrum",
      unit: "1/eV",
      shape: [250],
      axes: [{ name: "photon energy", unit: "eV", values: ENERGIES }],
      about: "Photons per ion, summed over the focus.",
    },
    { name: "temperature", unit: "eV", shape: [], axes: [], about: "Electron temperature at the end, in the centre." },
    { name: "charge", unit: "", shape: [], axes: [], about: "Mean charge at the end, in the centre of the focus." },
  ],
  runs: { train: 6000, test: 1000 },
  inverse: {
    about: "Continuum lowering and intensity from one noisy spectrum.",
    observed: ["spectrum"],
    noise: (_name, values) => {
      const peak = values.reduce((most, y) => Math.max(most, y), 0);
      return values.map((y) => 0.03 * Math.sqrt(Math.max(y, 1e-3 * peak) * peak));
    },
  },
  simulate,
};
