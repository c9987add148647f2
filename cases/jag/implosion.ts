/** A thin shell that converges on hot gas, element by element: the equations of motion and their integration. */
import { emptyHotSpot, hotSpot, type HotSpotPhysics, profileNodes } from "./hot-spot.ts";
import { directions, elementSpeeds, type Modes, tracerSpeeds } from "./shell.ts";

const START_RADIUS = 150e-6;
/** Mass of the shell, of which no evaporation is taken off [kg]. */
export const SHELL_MASS = 0.1e-6;
const GAS_MASS = 6e-9;
const LAST_TIME = 1.5e-9;
const PIERCED_RADIUS = 1e-6;

/** Physical inputs of one run. */
export interface Drive extends Modes {
  /** Implosion speed [m/s]. */
  readonly v: number;
  /** Hot-spot pressure at the start [Pa]. */
  readonly p0: number;
}

/** Numbers of nodes and length of the steps; the defaults are the case's, others are for checks of convergence. */
export interface Resolution {
  readonly thetas: number;
  readonly phis: number;
  /** Massless tracers of the shell, by which images and the equator read its radius in every direction. */
  readonly tracers: number;
  /** Factor on the time step. */
  readonly step: number;
  /** Gauss nodes of the volume means. */
  readonly profile: number;
  /** How bremsstrahlung's mean over the profile is taken; see `profileNodes`. */
  readonly edge: "closed form" | "nodes";
}

export const DEFAULT_RESOLUTION: Resolution = {
  thetas: 16,
  phis: 32,
  tracers: 65,
  step: 1,
  profile: 16,
  edge: "closed form",
};
export const ALL_PHYSICS: HotSpotPhysics = { fusion: true, alphas: true, radiation: true, conduction: true };

/** The state of one run at the end of each step; arrays have one entry per step. */
export interface Implosion {
  readonly modes: Modes;
  readonly time: Float64Array;
  /** Hot-spot pressure [Pa], mean radius [m], centre's temperature [keV], rho R [kg/m^2]. */
  readonly pressure: Float64Array;
  readonly radius: Float64Array;
  readonly tc: Float64Array;
  readonly rhoR: Float64Array;
  /** Fusions per second, and times temperature [keV/s]; bremsstrahlung [W]. */
  readonly fusions: Float64Array;
  readonly fusionsTimesT: Float64Array;
  readonly radiation: Float64Array;
  /** Kinetic energy of the shell, internal energy, alpha energy put in and energy radiated so far [J]. */
  readonly kinetic: Float64Array;
  readonly internal: Float64Array;
  readonly alphas: Float64Array;
  readonly radiated: Float64Array;
  /** Relative speeds of the tracers, ascending, and their radii at each step [m], steps × tracers. */
  readonly tracerSpeeds: Float64Array;
  readonly tracerRadii: Float64Array;
}

/**
 * Integrates one implosion by the classical Runge-Kutta method with steps of 1 ps x clamp(R / 40 um, 0.25, 4), to a
 * tenth of the peak pressure or 1.5 ns. Each element is pushed by p R_j^2 w_j; the gas is uniform in pressure
 * (Betti et al., Phys. Plasmas 9, 2277 (2002); Springer et al., EPJ Web Conf. 59, 04001 (2013)).
 * @returns why it failed where the shell, tracers included, gets closer than 1 um to the centre
 */
export function implode(
  drive: Drive,
  physics: HotSpotPhysics = ALL_PHYSICS,
  resolution: Resolution = DEFAULT_RESOLUTION,
): Implosion | string {
  const grid = directions(resolution.thetas, resolution.phis);
  const nodes = profileNodes(resolution.profile, resolution.edge);
  const tracers = tracerSpeeds(drive, resolution.tracers);
  const speeds = Float64Array.of(...elementSpeeds(grid, drive), ...tracers);
  const elements = speeds.length;
  const massive = elements - tracers.length;
  const solidAngle = new Float64Array(elements);
  solidAngle.set(grid.solidAngle);
  // State: radii, velocities, then internal energy, gas mass, alpha energy in, radiated energy.
  const size = 2 * elements + 4;
  const U = 2 * elements;
  const [y, trial, k1, k2, k3, k4] = [0, 1, 2, 3, 4, 5].map(() => new Float64Array(size)) as [
    Float64Array,
    Float64Array,
    Float64Array,
    Float64Array,
    Float64Array,
    Float64Array,
  ];
  for (let j = 0; j < elements; j++) {
    y[j] = START_RADIUS;
    y[elements + j] = -drive.v * speeds[j]!;
  }
  y[U] = 1.5 * drive.p0 * ((4 * Math.PI) / 3) * START_RADIUS ** 3;
  y[U + 1] = GAS_MASS;
  const spot = emptyHotSpot();

  const volumeOf = (state: Float64Array): number => {
    let volume = 0;
    for (let j = 0; j < elements; j++) {
      const r = state[j]!;
      volume += (solidAngle[j]! * r * r * r) / 3;
    }
    return volume;
  };
  const derivative = (state: Float64Array, out: Float64Array): void => {
    const volume = volumeOf(state);
    const p = (2 * state[U]!) / (3 * volume);
    // m_j = M w_j / 4 pi, so the weight cancels from the acceleration.
    const push = (4 * Math.PI * p) / SHELL_MASS;
    let growth = 0;
    for (let j = 0; j < elements; j++) {
      const r = state[j]!;
      const v = state[elements + j]!;
      out[j] = v;
      out[elements + j] = push * r * r;
      growth += solidAngle[j]! * r * r * v;
    }
    hotSpot(spot, state[U]!, volume, state[U + 1]!, nodes, physics);
    out[U] = -p * growth + spot.heating - spot.radiation;
    out[U + 1] = spot.evaporation;
    out[U + 2] = spot.heating;
    out[U + 3] = spot.radiation;
  };
  const step = (from: Float64Array, slope: Float64Array, h: number): void => {
    for (let i = 0; i < size; i++) trial[i] = from[i]! + h * slope[i]!;
  };

  const log = recorder(drive, tracers);
  const record = (t: number): void => {
    const volume = volumeOf(y);
    hotSpot(spot, y[U]!, volume, y[U + 1]!, nodes, physics);
    let kinetic = 0;
    for (let j = 0; j < elements; j++) {
      const v = y[elements + j]!;
      kinetic += ((SHELL_MASS * solidAngle[j]!) / (8 * Math.PI)) * v * v;
    }
    log.add({
      time: t,
      pressure: (2 * y[U]!) / (3 * volume),
      radius: Math.cbrt((3 * volume) / (4 * Math.PI)),
      tc: spot.tc,
      rhoR: spot.rhoR,
      fusions: spot.fusions,
      fusionsTimesT: spot.fusionsTimesT,
      radiation: spot.radiation,
      kinetic,
      internal: y[U]!,
      alphas: y[U + 2]!,
      radiated: y[U + 3]!,
    });
    log.addRadii(y.slice(massive, elements));
  };

  let t = 0;
  let peak = 0;
  record(t);
  while (t < LAST_TIME) {
    const h = 1e-12 * resolution.step * Math.min(4, Math.max(0.25, log.last("radius") / 40e-6));
    derivative(y, k1);
    step(y, k1, h / 2);
    derivative(trial, k2);
    step(y, k2, h / 2);
    derivative(trial, k3);
    step(y, k3, h);
    derivative(trial, k4);
    for (let i = 0; i < size; i++) y[i] = y[i]! + (h / 6) * (k1[i]! + 2 * k2[i]! + 2 * k3[i]! + k4[i]!);
    t += h;
    for (let j = 0; j < elements; j++) {
      if (!(y[j]! >= PIERCED_RADIUS)) return `pierced: the shell reached the centre at ${(t * 1e12).toFixed(0)} ps`;
    }
    record(t);
    peak = Math.max(peak, log.last("pressure"));
    if (log.last("pressure") < 0.1 * peak) break;
  }
  return log.done();
}

type Curves = Omit<Implosion, "modes" | "tracerSpeeds" | "tracerRadii">;
type Moment = { readonly [K in keyof Curves]: number };

/** Collects the moments of a run. */
function recorder(
  modes: Modes,
  tracers: Float64Array,
): {
  add(moment: Moment): void;
  addRadii(radii: Float64Array): void;
  last(name: keyof Moment): number;
  done(): Implosion;
} {
  const moments: Moment[] = [];
  const radii: Float64Array[] = [];
  const curve = (name: keyof Moment): Float64Array => Float64Array.from(moments, (moment) => moment[name]);
  return {
    add: (moment) => moments.push(moment),
    addRadii: (row) => radii.push(row),
    last: (name) => moments[moments.length - 1]![name],
    done: () => {
      const all = new Float64Array(radii.length * tracers.length);
      radii.forEach((row, i) => all.set(row, i * tracers.length));
      return {
        modes: { a10: modes.a10, a20: modes.a20, a22: modes.a22 },
        tracerSpeeds: tracers,
        tracerRadii: all,
        time: curve("time"),
        pressure: curve("pressure"),
        radius: curve("radius"),
        tc: curve("tc"),
        rhoR: curve("rhoR"),
        fusions: curve("fusions"),
        fusionsTimesT: curve("fusionsTimesT"),
        radiation: curve("radiation"),
        kinetic: curve("kinetic"),
        internal: curve("internal"),
        alphas: curve("alphas"),
        radiated: curve("radiated"),
      };
    },
  };
}
