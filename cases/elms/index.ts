import { type Case, type CaseInput, physicalInputs, type Simulation } from "../case.ts";
import {
  blurred,
  CXRS_RADII,
  CXRS_TIMES,
  makeSampler,
  POWER_TIMES,
  PROFILE_RADII,
  PROFILE_TIMES,
} from "./diagnostics.ts";
import { DENSITY_DECAY, ELECTRON_DECAY, ION_DECAY } from "./grid.ts";
import { makePedestal, runCrash } from "./pedestal.ts";

const inputs: readonly CaseInput[] = [
  { name: "ionPower", unit: "MW", low: 0.7, high: 4, scale: "linear", about: "Heat of the ions from the core." },
  {
    name: "electronPower",
    unit: "MW",
    low: 0.7,
    high: 4,
    scale: "linear",
    about: "Heat of the electrons from the core.",
  },
  { name: "coreFlux", unit: "1e21/s", low: 0.3, high: 2.5, scale: "log", about: "Particles from the core." },
  { name: "neutrals", unit: "1e21/s", low: 3, high: 10, scale: "linear", about: "Ionised neutrals at the edge." },
  { name: "neutralDepth", unit: "mm", low: 5, high: 25, scale: "linear", about: "How deep neutrals reach." },
  { name: "chiCore", unit: "m^2/s", low: 0.7, high: 2.5, scale: "log", about: "Heat diffusivity of the core." },
  { name: "chiIons", unit: "m^2/s", low: 0.15, high: 0.8, scale: "log", about: "The same of pedestal ions." },
  { name: "chiElectrons", unit: "m^2/s", low: 0.15, high: 0.8, scale: "log", about: "The same of pedestal electrons." },
  { name: "diffusion", unit: "m^2/s", low: 0.04, high: 0.2, scale: "log", about: "Particle diffusivity, pedestal." },
  { name: "width", unit: "mm", low: 12, high: 35, scale: "linear", about: "Width of the pedestal." },
  { name: "crashHeat", unit: "", low: 5, high: 40, scale: "log", about: "Factor on heat diffusivity in the crash." },
  { name: "crashParticles", unit: "", low: 3, high: 30, scale: "log", about: "The same for particles." },
  { name: "crashDecay", unit: "ms", low: 0.2, high: 2, scale: "log", about: "Decay time of the crash." },
  { name: "crashDepth", unit: "mm", low: 20, high: 100, scale: "linear", about: "How deep the crash reaches." },
];

/** Length of the run [s] and steps in it. */
const DURATION = 0.02;
const STEPS = 2000;
const CELLS = 200;

/** All the times that some output wants [ms], increasing, each once. */
const TIMES = [...new Set([...PROFILE_TIMES, ...POWER_TIMES, ...CXRS_TIMES])].sort((a, b) => a - b);

/** The simulator. @param resolution 1 as published; 2 halves cells and time steps, for the convergence test */
export function makeElms(resolution = 1): (u: Float64Array) => Simulation {
  return (u) => {
    const x = physicalInputs(inputs, u);
    const pedestal = makePedestal(
      {
        ionPower: x[0]! * 1e6,
        electronPower: x[1]! * 1e6,
        coreFlux: x[2]! * 1e21,
        neutrals: x[3]! * 1e21,
        neutralDepth: x[4]! * 1e-3,
        chiCore: x[5]!,
        chiIons: x[6]!,
        chiElectrons: x[7]!,
        diffusion: x[8]!,
        width: x[9]! * 1e-3,
        crashHeat: x[10]!,
        crashParticles: x[11]!,
        crashDecay: x[12]! * 1e-3,
        crashDepth: x[13]! * 1e-3,
      },
      CELLS * resolution,
    );
    const ions = makeSampler(pedestal.grid, ION_DECAY);
    const electrons = makeSampler(pedestal.grid, ELECTRON_DECAY);
    const density = makeSampler(pedestal.grid, DENSITY_DECAY);
    const radii = PROFILE_RADII.length;
    const profiles = new Float64Array(3 * PROFILE_TIMES.length * radii);
    const power = new Float64Array(POWER_TIMES.length);
    const cxrs = new Float64Array(CXRS_RADII.length * CXRS_TIMES.length);
    pedestal.settle();
    runCrash(
      pedestal,
      x[12]! * 1e-3,
      DURATION,
      STEPS * resolution,
      TIMES.map((ms) => ms * 1e-3),
      (index, moment) => {
        const ms = TIMES[index]!;
        const row = PROFILE_TIMES.indexOf(ms);
        if (row >= 0) {
          PROFILE_RADII.forEach((r, i) => {
            profiles[row * radii + i] = ions(moment.ti, r);
            profiles[(PROFILE_TIMES.length + row) * radii + i] = electrons(moment.te, r);
            profiles[(2 * PROFILE_TIMES.length + row) * radii + i] = density(moment.n, r) * 1e-19;
          });
        }
        const at = POWER_TIMES.indexOf(ms);
        if (at >= 0) power[at] = moment.power * 1e-6;
        const frame = CXRS_TIMES.indexOf(ms);
        if (frame >= 0) {
          CXRS_RADII.forEach((r, i) => {
            cxrs[i * CXRS_TIMES.length + frame] = blurred((radius) => ions(moment.ti, radius), r);
          });
        }
      },
    );
    const sound = profiles.every((value) => value > 0 && Number.isFinite(value));
    if (!sound) return { status: "failed", reason: "a profile fell to zero or diverged" };
    return { status: "ok", outputs: { profiles, power, cxrs } };
  };
}

const simulate = makeElms();

/** Edge-localised modes: fourteen numbers of a tokamak edge -> profiles through a crash, and what diagnostics see. */
export const elms: Case = {
  name: "elms",
  title: "Edge-localised modes",
  about: "Crash and recovery of the pedestal of a tokamak plasma, with edge diagnostics.",
  source: ["Viezzer et al., Nucl. Fusion 58, 026031 (2018)", "Wesson, Tokamaks, 4th ed. (2011)"],
  inputs,
  outputs: [
    {
      name: "profiles",
      unit: "eV, eV, 1e19/m^3",
      shape: [3, PROFILE_TIMES.length, PROFILE_RADII.length],
      parts: ["ion temperature [eV]", "electron temperature [eV]", "density [1e19/m^3]"],
      axes: [
        { name: "time", unit: "ms", values: PROFILE_TIMES },
        { name: "radius", unit: "m", values: PROFILE_RADII },
      ],
      about: "Ion temperature, electron temperature and density.",
    },
    {
      name: "power",
      unit: "MW",
      shape: [POWER_TIMES.length],
      axes: [{ name: "time", unit: "ms", values: POWER_TIMES }],
      about: "Power through the separatrix, as a divertor would see it.",
    },
    {
      name: "cxrs",
      unit: "eV",
      shape: [CXRS_RADII.length, CXRS_TIMES.length],
      axes: [
        { name: "radius", unit: "m", values: CXRS_RADII },
        { name: "time", unit: "ms", values: CXRS_TIMES },
      ],
      about: "Ion temperature as charge-exchange spectroscopy sees it, with a radial blur of 5 mm.",
    },
  ],
  runs: { train: 6000, test: 1000 },
  inverse: {
    about: "Ion heat diffusivity, strength, decay and depth of the crash from the ion temperatures.",
    observed: ["cxrs"],
    noise: (_name, values) => values.map((t) => 0.05 * Math.abs(t)),
  },
  simulate,
};
