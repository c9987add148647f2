import { type Case, type CaseInput, physicalInputs, type Simulation } from "../case.ts";
import { once } from "../kernels/index.ts";
import { PROBE_NM } from "./geometry.ts";
import { ELECTRON_NM, ION_NM, makeSpectrometer } from "./spectrometer.ts";
import { type ScatteringPlasma, soundOverElectronSpeed } from "./structure-factor.ts";

const inputs: readonly CaseInput[] = [
  { name: "density", unit: "cm^-3", low: 5e18, high: 1e20, scale: "log", about: "Electron density." },
  { name: "temperature", unit: "eV", low: 200, high: 2000, scale: "log", about: "Electron temperature." },
  { name: "ionRatio", unit: "", low: 0.08, high: 1, scale: "linear", about: "Ion over electron temperature." },
  { name: "charge", unit: "", low: 5, high: 13, scale: "linear", about: "Charge of the aluminium ions." },
  { name: "drift", unit: "", low: -0.8, high: 0.8, scale: "linear", about: "Electron drift over ion-acoustic speed." },
];

/** Read noise as a share of the brightest pixel, and photons counted there. */
const READ_NOISE = 0.02;
const PEAK_COUNTS = 1e4;

/** Wave number of the scattering in vacuum, by 90 degrees [rad/m]. */
const WAVE_NUMBER = (Math.SQRT2 * 2 * Math.PI) / (PROBE_NM * 1e-9);

/** The plasma at u in [0, 1]^5. */
export function plasmaAt(u: Float64Array): ScatteringPlasma {
  const [ne, te, ratio, z, drift] = physicalInputs(inputs, u);
  const still = { ne: ne!, te: te!, ti: te! * ratio!, z: z!, drift: 0 };
  return { ...still, drift: drift! * soundOverElectronSpeed(still, WAVE_NUMBER) };
}

/** The simulator. @param resolution 1 as published; 2 refines every grid and rule, for the convergence test */
export function makeOts(resolution = 1): (u: Float64Array) => Simulation {
  const spectrometer = makeSpectrometer(resolution);
  return (u) => {
    const { ion, electron } = spectrometer(plasmaAt(u));
    return { status: "ok", outputs: { ion, electron } };
  };
}

const simulator = once(makeOts);

/** Optical Thomson scattering from an aluminium plasma: five plasma parameters -> ion and electron spectrum. */
export const ots: Case = {
  name: "ots",
  title: "Optical Thomson scattering",
  about: "Collective scattering of 526.5 nm light by 90 degrees from a flowing aluminium plasma.",
  source: [
    "Froula, Glenzer, Luhmann & Sheffield, Plasma Scattering of Electromagnetic Radiation, 2nd ed. (2011)",
    "Salpeter, Phys. Rev. 120, 1528 (1960)",
  ],
  inputs,
  outputs: [
    {
      name: "ion",
      unit: "1/nm",
      shape: [250],
      axes: [{ name: "wavelength", unit: "nm", values: ION_NM }],
      about: "Ion-acoustic feature, 0.04 nm instrument.",
    },
    {
      name: "electron",
      unit: "1/nm",
      shape: [250],
      axes: [{ name: "wavelength", unit: "nm", values: ELECTRON_NM }],
      about: "Electron plasma wave feature, 1.5 nm instrument; the ion feature stands unresolved in its middle.",
    },
  ],
  runs: { train: 6000, test: 1000 },
  inverse: {
    about: "All five from one spectrum of the ion feature; charge and temperature trade along Z Te.",
    observed: ["ion"],
    noise: (_name, values) => {
      const peak = values.reduce((most, y) => Math.max(most, y), 0);
      return values.map((y) => Math.sqrt((READ_NOISE * peak) ** 2 + (Math.max(0, y) * peak) / PEAK_COUNTS));
    },
  },
  simulate: (u) => simulator()(u),
};
