import { type Cosmology, growth, linearPower, matterDensity, sphereRadius } from "./cosmology.ts";
import { tinkerBias, tinkerMultiplicity } from "./mass-function.ts";
import { centrals, type Occupation, satellitesPerCentral } from "./occupation.ts";
import { concentration, haloRadius, profileTransform } from "./profile.ts";

const LOG_MASS_LOW = 9;
const LOG_MASS_HIGH = 16;
/** Satellites need more than M0 >= 1e11 Msun/h: no profiles below. */
const LOG_SATELLITES = 11;
const LOG_K_LOW = -3.5;
const LOG_K_HIGH = 3.3;

/** Haloes at one redshift: what depends on no occupation. */
export interface Haloes {
  readonly z: number;
  /** log10 of mass [Msun/h]. */
  readonly logMasses: Float64Array;
  /** dn/dlnM [(h/Mpc)³] and bias at each mass. */
  readonly density: Float64Array;
  readonly bias: Float64Array;
  /** Root mean square fluctuation sigma(M, z). */
  readonly sigma: Float64Array;
  /** Step in ln M. */
  readonly step: number;
  /** First mass with a profile; then one row of u(k) per mass. */
  readonly first: number;
  readonly profiles: Float64Array;
  /** Linear power at this redshift on the wave numbers [(Mpc/h)³]. */
  readonly linear: Float64Array;
}

/** Wave numbers of all power spectra [h/Mpc]: log-spaced. @param resolution 1 for 500, 2 for 999 */
export function waveNumbers(resolution = 1): Float64Array {
  const steps = 499 * resolution;
  return Float64Array.from({ length: steps + 1 }, (_, i) => 10 ** (LOG_K_LOW + ((LOG_K_HIGH - LOG_K_LOW) * i) / steps));
}

/** The haloes at each of `redshifts`. @param resolution 1 for 281 masses and 500 wave numbers, 2 for half the steps */
export function makeHaloes(cosmology: Cosmology, redshifts: readonly number[], resolution = 1): Haloes[] {
  const power = linearPower(cosmology);
  const ks = waveNumbers(resolution);
  const steps = 280 * resolution;
  const logStep = (LOG_MASS_HIGH - LOG_MASS_LOW) / steps;
  const logMasses = Float64Array.from({ length: steps + 1 }, (_, i) => LOG_MASS_LOW + i * logStep);
  const step = logStep * Math.LN10;
  const sigma0 = logMasses.map((log) => power.sigma(sphereRadius(cosmology, 10 ** log)));
  // dln sigma / dlnM by central differences a step of the mass grid wide, also at its ends
  const slope = logMasses.map((log) => {
    const up = power.sigma(sphereRadius(cosmology, 10 ** (log + 0.0125)));
    const down = power.sigma(sphereRadius(cosmology, 10 ** (log - 0.0125)));
    return Math.abs(Math.log(up / down)) / (0.025 * Math.LN10);
  });
  const linear0 = ks.map((k) => power.at(k));
  const first = Math.round((LOG_SATELLITES - LOG_MASS_LOW) / logStep);
  return redshifts.map((z) => {
    const d = growth(cosmology, z);
    const sigma = sigma0.map((s) => s * d);
    const density = sigma.map(
      (s, i) => tinkerMultiplicity(s, z) * (matterDensity(cosmology) / 10 ** logMasses[i]!) * slope[i]!,
    );
    const profiles = new Float64Array((steps + 1 - first) * ks.length);
    for (let m = first; m <= steps; m++) {
      const mass = 10 ** logMasses[m]!;
      const c = concentration(mass, z);
      const scale = haloRadius(cosmology, mass) / c;
      const row = (m - first) * ks.length;
      for (let i = 0; i < ks.length; i++) profiles[row + i] = profileTransform(ks[i]! * scale, c);
    }
    const linear = linear0.map((p) => p * d * d);
    return { z, logMasses, density, bias: sigma.map(tinkerBias), sigma, step, first, profiles, linear };
  });
}

/** Galaxies at one redshift. */
export interface Galaxies {
  /** Number density [(h/Mpc)³], mean bias by number, share of satellites. */
  readonly density: number;
  readonly bias: number;
  readonly satellites: number;
  /** Power spectrum on the wave numbers, and its two-halo part [(Mpc/h)³]. */
  readonly power: Float64Array;
  readonly twoHalo: Float64Array;
}

/** Galaxies of an occupation in the haloes: one-halo and two-halo power (Cooray & Sheth 2002, §5). */
export function populate(haloes: Haloes, occupation: Occupation): Galaxies {
  const { logMasses, step, first, profiles, linear } = haloes;
  const count = linear.length;
  const oneHalo = new Float64Array(count);
  const pull = new Float64Array(count);
  let total = 0;
  let satelliteTotal = 0;
  let biased = 0;
  let biasedCentrals = 0;
  for (let m = 0; m < logMasses.length; m++) {
    const end = m === 0 || m === logMasses.length - 1 ? 0.5 : 1;
    const weight = end * step * haloes.density[m]!;
    const nc = centrals(occupation, logMasses[m]!);
    const per = m < first ? 0 : satellitesPerCentral(occupation, logMasses[m]!);
    const central = weight * nc;
    total += central * (1 + per);
    satelliteTotal += central * per;
    biased += central * (1 + per) * haloes.bias[m]!;
    biasedCentrals += central * haloes.bias[m]!;
    if (per === 0) continue;
    const pairs = 2 * central * per;
    const squares = central * per * per;
    const drawn = central * per * haloes.bias[m]!;
    const row = (m - first) * count;
    for (let i = 0; i < count; i++) {
      const u = profiles[row + i]!;
      oneHalo[i] = oneHalo[i]! + (pairs + squares * u) * u;
      pull[i] = pull[i]! + drawn * u;
    }
  }
  const twoHalo = linear.map((p, i) => p * ((biasedCentrals + pull[i]!) / total) ** 2);
  const power = twoHalo.map((p, i) => p + oneHalo[i]! / (total * total));
  return { density: total, bias: biased / total, satellites: satelliteTotal / total, power, twoHalo };
}
