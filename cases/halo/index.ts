import { type Case, type CaseInput, physicalInputs, type Simulation } from "../case.ts";
import { once } from "../kernels/index.ts";
import { ANGLES, makeLimber, Z_HIGH, Z_LOW } from "./angular.ts";
import { PLANCK } from "./cosmology.ts";
import { makeHaloes, populate, waveNumbers } from "./halo-model.ts";

const inputs: readonly CaseInput[] = [
  { name: "logMmin", unit: "log10 Msun/h", low: 11.5, high: 13.2, scale: "linear", about: "Half hold a central." },
  { name: "sigma", unit: "dex", low: 0.1, high: 0.7, scale: "linear", about: "Softness of that step." },
  { name: "logM0", unit: "log10 Msun/h", low: 11, high: 13, scale: "linear", about: "No satellites below." },
  { name: "logM1", unit: "log10 Msun/h", low: 12.6, high: 14.4, scale: "linear", about: "Mass per satellite." },
  { name: "alpha", unit: "", low: 0.6, high: 1.5, scale: "linear", about: "Power of mass of the satellites." },
];

/** The survey behind the noise: galaxies and square degrees. */
const GALAXIES = 2e5;
const AREA = 10;

/** The simulator. @param resolution 1 as published; 2 halves every step, for the convergence test */
export function makeHalo(resolution = 1): (u: Float64Array) => Simulation {
  const intervals = 6 * resolution;
  const nodes = Float64Array.from({ length: intervals + 1 }, (_, i) => Z_LOW + ((Z_HIGH - Z_LOW) * i) / intervals);
  const haloes = makeHaloes(PLANCK, Array.from(nodes), resolution);
  const limber = makeLimber(PLANCK, nodes, waveNumbers(resolution), resolution);
  return (u) => {
    const [logMmin, sigma, logM0, logM1, alpha] = physicalInputs(inputs, u);
    const occupation = { logMmin: logMmin!, sigma: sigma!, logM0: logM0!, logM1: logM1!, alpha: alpha! };
    const galaxies = haloes.map((at) => populate(at, occupation));
    const w = limber(galaxies.map(({ power }) => power));
    if (!w.every((value) => value > 0)) return { status: "failed", reason: "w(theta) is not positive everywhere" };
    const middle = galaxies[intervals / 2]!;
    return {
      status: "ok",
      outputs: {
        logw: w.map(Math.log10),
        numberDensity: Float64Array.of(middle.density),
        bias: Float64Array.of(middle.bias),
        satelliteFraction: Float64Array.of(middle.satellites),
      },
    };
  };
}

const simulator = once(makeHalo);

/** Halo occupation: five numbers that say how galaxies fill dark haloes -> their angular correlation at redshift 1. */
export const halo: Case = {
  name: "halo",
  title: "Galaxy clustering",
  about: "Angular correlation of galaxies at redshift 1 from a halo occupation model.",
  source: [
    "Zheng et al., ApJ 667, 760 (2007)",
    "Cooray & Sheth, Phys. Rep. 372, 1 (2002)",
    "Eisenstein & Hu, ApJ 496, 605 (1998)",
    "Tinker et al., ApJ 688, 709 (2008) and ApJ 724, 878 (2010)",
    "Duffy et al., MNRAS 390, L64 (2008)",
    "Hatfield et al., arXiv 1511.05476",
  ],
  inputs,
  outputs: [
    {
      name: "logw",
      unit: "",
      shape: [250],
      axes: [{ name: "angle", unit: "deg", values: ANGLES }],
      about: "log10 of the angular correlation.",
    },
    { name: "numberDensity", unit: "(h/Mpc)^3", shape: [], axes: [], about: "Galaxies per volume at z = 1." },
    { name: "bias", unit: "", shape: [], axes: [], about: "Mean bias of the galaxies at z = 1." },
    { name: "satelliteFraction", unit: "", shape: [], axes: [], about: "Share of satellites at z = 1." },
  ],
  runs: { train: 2000, test: 500 },
  inverse: {
    about: "Mmin, M1, alpha and the bias they imply, from a noisy correlation and the number density.",
    observed: ["logw", "numberDensity"],
    noise: (name, values) => {
      if (name !== "logw") return values.map((value) => 0.05 * Math.abs(value));
      const width = Math.log(ANGLES[1]! / ANGLES[0]!);
      return values.map((log, i) => {
        // 10 % and the shot noise of pairs in the bin
        const pairs = (0.5 * GALAXIES * GALAXIES * 2 * Math.PI * ANGLES[i]! ** 2 * width) / AREA;
        return Math.sqrt(0.01 + 1 / (pairs * 100 ** log)) / Math.LN10;
      });
    },
  },
  simulate: (u) => simulator()(u),
};
