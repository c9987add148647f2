import { gaussHermite, gaussianConvolveInto, gaussLegendre, SIGMA_PER_FWHM } from "../kernels/index.ts";
import { makeScattering, PROBE_NM, type Scattering } from "./geometry.ts";
import { depositSide, type LineRule } from "./plasma-line.ts";
import { makeStructureFactor, type ScatteringPlasma } from "./structure-factor.ts";

const evenly = (low: number, high: number): readonly number[] =>
  Array.from({ length: 250 }, (_, i) => low + ((high - low) * i) / 249);

/** Wavelengths of the two channels [nm] and their instrument widths [nm]. */
export const ION_NM = evenly(525.5, 527.5);
export const ELECTRON_NM = evenly(430, 640);
const ION_FWHM = 0.04;
const ELECTRON_FWHM = 1.5;

/** The ion feature ends well within this distance of the probe [nm]. */
const ION_HALF = 3;
/** Bins of the ion and of the electron channel [nm]. */
const ION_BIN = 0.001;
const BIN = 0.05;
const BIN_LOW = 424;
const BIN_HIGH = 646;
const ION_RULE: LineRule = { wide: 0.05, room: 0.05, step: 0.005, scan: 60 };
const ELECTRON_RULE: LineRule = { wide: 1, room: 1.5, step: 0.5, scan: 24 };
const CENTRE_ANGLE = Math.PI / 2;
const CONE = (4 * Math.PI) / 180;
const DENSITY_SPREAD = 0.1;
const TEMPERATURE_POWER = 0.3;

/** Both spectra [1/nm]. */
export interface OtsSpectra {
  readonly ion: Float64Array;
  readonly electron: Float64Array;
}

/** A density met along the probe, as a multiple of the mean, and its share. */
interface Slice {
  readonly times: number;
  readonly share: number;
}

/** Gauss-Hermite slices, for the ion feature that changes little with density. */
function hermiteSlices(count: number): Slice[] {
  const { nodes, weights } = gaussHermite(count);
  return Array.from(nodes, (x, i) => ({
    times: 1 + DENSITY_SPREAD * Math.SQRT2 * x,
    share: weights[i]! / Math.sqrt(Math.PI),
  }));
}

/** Even slices to 3.5 standard deviations: the plasma line moves by several instrument widths across the profile. */
function evenSlices(count: number): Slice[] {
  const positions = Array.from({ length: count }, (_, i) => -3.5 + (7 * i) / (count - 1));
  const total = positions.reduce((sum, s) => sum + Math.exp(-0.5 * s * s), 0);
  return positions.map((s) => ({ times: 1 + DENSITY_SPREAD * s, share: Math.exp(-0.5 * s * s) / total }));
}

/** The rays of a measurement and what each counts. */
type Rays = (plasma: ScatteringPlasma, visit: (ray: Scattering, share: number) => void) => void;

/** Rays over the collection cone (`angles` Gauss nodes, 4 degrees each way) and the slices; Te follows ne^0.3. */
function makeRays(angles: number, slices: readonly Slice[]): Rays {
  const { nodes, weights } = gaussLegendre(angles, CENTRE_ANGLE - CONE, CENTRE_ANGLE + CONE);
  return (plasma, visit) => {
    for (const { times, share } of slices) {
      const warmer = times ** TEMPERATURE_POWER;
      const { ne, te, ti } = plasma;
      const factor = makeStructureFactor({ ...plasma, ne: ne * times, te: te * warmer, ti: ti * warmer });
      for (let i = 0; i < angles; i++) visit(makeScattering(factor, nodes[i]!), (share * weights[i]!) / (2 * CONE));
    }
  };
}

/** Even bins that share an amount between the two nearest of them. */
function makeBins(low: number, high: number, width: number) {
  const count = Math.round((high - low) / width) + 1;
  const nm = Float64Array.from({ length: count }, (_, i) => low + i * width);
  const amounts = new Float64Array(count);
  return {
    nm,
    amounts,
    add: (at: number, amount: number): void => {
      const place = (at - low) / width;
      const i = Math.min(count - 2, Math.max(0, Math.floor(place)));
      const right = place - i;
      amounts[i] = amounts[i]! + amount * (1 - right);
      amounts[i + 1] = amounts[i + 1]! + amount * right;
    },
  };
}

/** The ion feature before the instrument: power in fine bins. */
function makeIonFeature(resolution: number): (plasma: ScatteringPlasma) => { nm: Float64Array; amounts: Float64Array } {
  const rays = makeRays(9 * resolution, hermiteSlices(7 * resolution));
  const bins = makeBins(PROBE_NM - ION_HALF, PROBE_NM + ION_HALF, ION_BIN / resolution);
  return (plasma) => {
    bins.amounts.fill(0);
    rays(plasma, (ray, share) => {
      const add = (nm: number, amount: number): void => {
        bins.add(nm, share * amount);
      };
      depositSide(ray, PROBE_NM - ION_HALF, PROBE_NM, "low", ION_RULE, resolution, add);
      depositSide(ray, PROBE_NM, PROBE_NM + ION_HALF, "high", ION_RULE, resolution, add);
    });
    return bins;
  };
}

function blurIon({ nm, amounts }: { nm: Float64Array; amounts: Float64Array }): Float64Array {
  const ion = new Float64Array(ION_NM.length);
  gaussianConvolveInto(ion, ION_NM, nm, amounts, ION_FWHM * SIGMA_PER_FWHM);
  return ion;
}

/** Simulator of the ion channel alone. @param resolution 1 as published; 2 doubles every rule and halves every step */
export function makeIonChannel(resolution = 1): (plasma: ScatteringPlasma) => Float64Array {
  const feature = makeIonFeature(resolution);
  return (plasma) => blurIon(feature(plasma));
}

/**
 * Simulator of both channels: S(k, w) averaged over the collection cone and over a Gaussian density profile of 10 % along
 * the probe (Te as ne^0.3), per wavelength, blurred by the instrument. @param resolution as for `makeIonChannel`
 */
export function makeSpectrometer(resolution = 1): (plasma: ScatteringPlasma) => OtsSpectra {
  const feature = makeIonFeature(resolution);
  const rays = makeRays(5 * resolution, evenSlices(40 * resolution + 1));
  const bins = makeBins(BIN_LOW, BIN_HIGH, BIN / resolution);
  return (plasma) => {
    bins.amounts.fill(0);
    const centre = feature(plasma);
    for (let i = 0; i < centre.nm.length; i++) bins.add(centre.nm[i]!, centre.amounts[i]!);
    rays(plasma, (ray, share) => {
      const add = (nm: number, amount: number): void => {
        bins.add(nm, share * amount);
      };
      depositSide(ray, BIN_LOW, PROBE_NM - ION_HALF, "low", ELECTRON_RULE, resolution, add);
      depositSide(ray, PROBE_NM + ION_HALF, BIN_HIGH, "high", ELECTRON_RULE, resolution, add);
    });
    const electron = new Float64Array(ELECTRON_NM.length);
    gaussianConvolveInto(electron, ELECTRON_NM, bins.nm, bins.amounts, ELECTRON_FWHM * SIGMA_PER_FWHM);
    return { ion: blurIon(centre), electron };
  };
}
