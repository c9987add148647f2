import { type Case, type CaseInput, physicalInputs, type Simulation } from "../case.ts";
import { once } from "../kernels/index.ts";
import { LOSSES, makeSpectrum } from "./spectrum.ts";

const COUNTS = 1e6;

const inputs: readonly CaseInput[] = [
  { name: "temperature", unit: "eV", low: 5, high: 80, scale: "log", about: "Temperature of electrons and ions." },
  { name: "density", unit: "cm^-3", low: 1e23, high: 1e24, scale: "log", about: "Free-electron density." },
  { name: "ionisation", unit: "", low: 1.8, high: 3.6, scale: "linear", about: "Free electrons per ion." },
];

const axis = { name: "energy loss", unit: "eV", values: LOSSES };

/** The simulator. @param resolution 1 as published; 2 doubles every grid and quadrature rule, for the convergence test */
export function makeXrts(resolution = 1): (u: Float64Array) => Simulation {
  const spectrum = makeSpectrum(resolution);
  return (u) => {
    const [te, ne, zf] = physicalInputs(inputs, u);
    const run = spectrum(te!, ne!, zf!);
    if (run.status === "failed") return run;
    return { status: "ok", outputs: { spectrum: run.values, logSpectrum: run.values.map(Math.log10) } };
  };
}

const simulator = once(makeXrts);

/** X-ray Thomson scattering from warm dense beryllium: temperature, density, ionisation -> energy-loss spectrum. */
export const xrts: Case = {
  name: "xrts",
  title: "X-ray Thomson scattering",
  about: "Spectrum of 2.96 keV x-rays scattered by 40 degrees from warm dense beryllium.",
  source: [
    "Chihara, J. Phys. F 17, 295 (1987)",
    "Arista & Brandt, Phys. Rev. A 29, 1471 (1984)",
    "Mermin, Phys. Rev. B 1, 2362 (1970)",
    "Gregori et al., Phys. Rev. E 67, 026412 (2003)",
    "Glenzer & Redmer, Rev. Mod. Phys. 81, 1625 (2009)",
  ],
  inputs,
  outputs: [
    { name: "spectrum", unit: "1/eV", shape: [250], axes: [axis], about: "Scattered intensity per ion." },
    { name: "logSpectrum", unit: "", shape: [250], axes: [axis], about: "log10 of the same: the wings count too." },
  ],
  runs: { train: 6000, test: 1000 },
  inverse: {
    about: "Temperature, density and ionisation from one spectrum of a million photons.",
    observed: ["spectrum"],
    noise: (_name, values) => {
      const perCount = values.reduce((sum, y) => sum + y, 0) / COUNTS;
      return values.map((y) => perCount * Math.sqrt(Math.max(1, y / perCount)));
    },
  },
  simulate: (u) => simulator()(u),
};
