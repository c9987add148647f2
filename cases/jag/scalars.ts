/** Fifteen numbers that sum an implosion up. */
import type { Implosion } from "./implosion.ts";
import { radiusOf, speedMode } from "./shell.ts";

/** Names, units and meanings of the numbers that `scalarsOf` gives, in order. */
export const SCALARS: readonly { readonly name: string; readonly unit: string; readonly about: string }[] = [
  { name: "bangTime", unit: "ps", about: "time of most neutrons" },
  { name: "burnWidth", unit: "ps", about: "full width at half maximum of the neutron rate" },
  { name: "xrayBangTime", unit: "ps", about: "time of most x-rays" },
  { name: "xrayWidth", unit: "ps", about: "full width at half maximum of the x-ray power" },
  { name: "logYield", unit: "", about: "log10 of the number of neutrons" },
  { name: "burnTemperature", unit: "keV", about: "ion temperature, weighted by the neutrons" },
  { name: "peakTemperature", unit: "keV", about: "highest central temperature" },
  { name: "logPeakPressure", unit: "", about: "log10 of the highest pressure in Pa" },
  { name: "peakPressureTime", unit: "ps", about: "time of the highest pressure" },
  { name: "minRadius", unit: "um", about: "least mean radius of the hot spot" },
  { name: "logXrayEnergy", unit: "", about: "log10 of the radiated energy in J" },
  { name: "p2", unit: "", about: "cos 2 phi part of the equatorial radius over its mean, at bang time" },
  { name: "asymmetry", unit: "", about: "(max - min) / (2 mean) of the equatorial radius at bang time" },
  { name: "arealDensity", unit: "kg/m2", about: "areal density of the hot spot at the highest pressure" },
  { name: "residualKinetic", unit: "", about: "share of the shell's kinetic energy left at the highest pressure" },
];

const AZIMUTHS = 64;

/** The numbers of `SCALARS`. Peaks are read off parabolas through three steps, times between steps by interpolation. */
export function scalarsOf(run: Implosion): Float64Array {
  const neutrons = peakOf(run.time, run.fusions);
  const xrays = peakOf(run.time, run.radiation);
  const pressure = peakOf(run.time, run.pressure);
  const hottest = peakOf(run.time, run.tc);
  const smallest = peakOf(
    run.time,
    run.radius.map((radius) => -radius),
  );
  const yieldNeutrons = integral(run.time, run.fusions);
  const { mean, cos2, spread } = equator(radiiAt(run, neutrons.time), run);
  return Float64Array.of(
    neutrons.time * 1e12,
    widthOf(run.time, run.fusions, neutrons.value) * 1e12,
    xrays.time * 1e12,
    widthOf(run.time, run.radiation, xrays.value) * 1e12,
    Math.log10(yieldNeutrons),
    integral(run.time, run.fusionsTimesT) / yieldNeutrons,
    hottest.value,
    Math.log10(pressure.value),
    pressure.time * 1e12,
    -smallest.value * 1e6,
    Math.log10(run.radiated.at(-1)!),
    cos2 / mean,
    spread / mean,
    valueAt(run.time, run.rhoR, pressure.time),
    valueAt(run.time, run.kinetic, pressure.time) / run.kinetic[0]!,
  );
}

/** The same, each under its name. */
export function scalarOutputs(run: Implosion): Record<string, Float64Array> {
  const values = scalarsOf(run);
  return Object.fromEntries(SCALARS.map(({ name }, i) => [name, values.slice(i, i + 1)]));
}

/** Time and height of the highest point of a curve, by the parabola through it and its neighbours. */
export function peakOf(time: Float64Array, values: Float64Array): { readonly time: number; readonly value: number } {
  let i = 0;
  for (let j = 1; j < values.length; j++) if (values[j]! > values[i]!) i = j;
  if (i === 0 || i === values.length - 1) return { time: time[i]!, value: values[i]! };
  const left = time[i - 1]! - time[i]!;
  const right = time[i + 1]! - time[i]!;
  const slopeLeft = (values[i - 1]! - values[i]!) / left;
  const slopeRight = (values[i + 1]! - values[i]!) / right;
  const bend = (slopeRight - slopeLeft) / (right - left);
  const slope = slopeLeft - bend * left;
  if (bend === 0) return { time: time[i]!, value: values[i]! };
  const shift = -slope / (2 * bend);
  return { time: time[i]! + shift, value: values[i]! + (slope * shift) / 2 };
}

/** Times at which the curve rises through, and falls through, half of `top`; the ends of the run where it does not. */
export function halfTimes(time: Float64Array, values: Float64Array, top: number): readonly [number, number] {
  const half = top / 2;
  const crossing = (i: number, j: number): number => {
    const share = (half - values[i]!) / (values[j]! - values[i]!);
    return time[i]! + share * (time[j]! - time[i]!);
  };
  const first = values.findIndex((value) => value >= half);
  const last = values.findLastIndex((value) => value >= half);
  return [
    first <= 0 ? time[0]! : crossing(first - 1, first),
    last >= values.length - 1 ? time.at(-1)! : crossing(last, last + 1),
  ];
}

function widthOf(time: Float64Array, values: Float64Array, top: number): number {
  const [rise, fall] = halfTimes(time, values, top);
  return fall - rise;
}

function integral(time: Float64Array, values: Float64Array): number {
  let sum = 0;
  for (let i = 1; i < time.length; i++) sum += ((time[i]! - time[i - 1]!) * (values[i]! + values[i - 1]!)) / 2;
  return sum;
}

/** The step that ends at or after `t`, and the share of it past. */
function locate(time: Float64Array, t: number): { readonly step: number; readonly share: number } {
  const step = Math.min(
    time.length - 1,
    Math.max(
      1,
      time.findIndex((value) => value >= t),
    ),
  );
  return { step, share: Math.min(1, Math.max(0, (t - time[step - 1]!) / (time[step]! - time[step - 1]!))) };
}

/** A curve at time `t`, by straight lines between the steps. */
export function valueAt(time: Float64Array, values: Float64Array, t: number): number {
  const { step, share } = locate(time, t);
  return values[step - 1]! * (1 - share) + values[step]! * share;
}

/** Radii of the tracers at time `t` [m]. */
export function radiiAt(run: Implosion, t: number): Float64Array {
  const { step, share } = locate(run.time, t);
  const n = run.tracerSpeeds.length;
  return run.tracerSpeeds.map((_, j) => {
    return run.tracerRadii[(step - 1) * n + j]! * (1 - share) + run.tracerRadii[step * n + j]! * share;
  });
}

function equator(radii: Float64Array, run: Implosion): { mean: number; cos2: number; spread: number } {
  let mean = 0;
  let cos2 = 0;
  let least = Infinity;
  let most = 0;
  for (let k = 0; k < AZIMUTHS; k++) {
    const phi = ((k + 0.5) * 2 * Math.PI) / AZIMUTHS;
    const radius = radiusOf(run.tracerSpeeds, radii, speedMode(run.modes, 0, Math.cos(2 * phi)));
    mean += radius / AZIMUTHS;
    cos2 += (2 * radius * Math.cos(2 * phi)) / AZIMUTHS;
    least = Math.min(least, radius);
    most = Math.max(most, radius);
  }
  return { mean, cos2, spread: (most - least) / 2 };
}
