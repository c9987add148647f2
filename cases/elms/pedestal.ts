import { ELEMENTARY_CHARGE } from "../kernels/index.ts";
import { makeDensityStep, type ParticleDrive } from "./density.ts";
import { type HeatDrive, makeHeatStep } from "./energy.ts";
import { DENSITY_DECAY, ELECTRON_DECAY, type Grid, ION_DECAY, makeGrid, SEPARATRIX } from "./grid.ts";

/** The plasma edge and its crash; SI units, powers in W. */
export interface PedestalInputs {
  readonly ionPower: number;
  readonly electronPower: number;
  readonly coreFlux: number;
  readonly neutrals: number;
  readonly neutralDepth: number;
  readonly chiCore: number;
  readonly chiIons: number;
  readonly chiElectrons: number;
  readonly diffusion: number;
  readonly width: number;
  readonly crashHeat: number;
  readonly crashParticles: number;
  readonly crashDecay: number;
  readonly crashDepth: number;
}

/** Core diffusivity of particles [m²/s]. */
const CORE_DIFFUSION = 0.6;
/** The crash grows for this long [s]. */
const RISE = 1e-4;
const STEADY_STEPS = 600;

/** A moment: profiles per cell and the power through the separatrix [W]. */
export interface Moment {
  readonly time: number;
  readonly ti: Float64Array;
  readonly te: Float64Array;
  readonly n: Float64Array;
  readonly power: number;
}

/** Content and flows of the last step, for the ledgers: particles, energy [J], 1/s, W. */
export interface Ledger {
  readonly particles: number;
  readonly energy: number;
  readonly particlesIn: number;
  readonly particlesOut: number;
  readonly powerIn: number;
  readonly powerOut: number;
}

/** A plasma edge that can be stepped. */
export interface Pedestal {
  readonly grid: Grid;
  readonly ti: Float64Array;
  readonly te: Float64Array;
  readonly n: Float64Array;
  /** One step of `dt` [s] with the crash at strength `crash` in [0, 1]; returns separatrix power [W]. */
  readonly advance: (dt: number, crash: number) => number;
  /** To the steady state before the crash; returns separatrix power [W]. */
  readonly settle: () => number;
  readonly ledger: () => Ledger;
}

/** Strength of the crash at time t [s]: a linear rise, then exponential decay. */
export function crashStrength(t: number, decay: number): number {
  return Math.min(1, t / RISE) * Math.exp(-Math.max(0, t - RISE) / decay);
}

/** The plasma edge of `inputs`, at a guess of its profiles. @param cells of the grid */
export function makePedestal(inputs: PedestalInputs, cells = 200): Pedestal {
  const grid = makeGrid(cells);
  const stepDensity = makeDensityStep(grid);
  const stepHeat = makeHeatStep(grid);
  const inCore = grid.faces.map((r) => 0.5 * (1 + Math.tanh((SEPARATRIX - inputs.width - r) / (0.1 * inputs.width))));
  const hit = grid.faces.map((r) => Math.exp(-(((SEPARATRIX - r) / inputs.crashDepth) ** 2)));
  const deposited = grid.centres.map((r, i) => grid.volumes[i]! * Math.exp(-(SEPARATRIX - r) / inputs.neutralDepth));
  const total = deposited.reduce((sum, x) => sum + x, 0);
  const particles: ParticleDrive = {
    diffusivity: new Float64Array(cells + 1),
    source: deposited.map((x) => (inputs.neutrals * x) / total),
    inflow: inputs.coreFlux,
    decay: DENSITY_DECAY,
  };
  const heat: HeatDrive = {
    chiIons: new Float64Array(cells + 1),
    chiElectrons: new Float64Array(cells + 1),
    ions: inputs.ionPower / ELEMENTARY_CHARGE,
    electrons: inputs.electronPower / ELEMENTARY_CHARGE,
    decayIons: ION_DECAY,
    decayElectrons: ELECTRON_DECAY,
    exchange: 1,
  };
  const n = new Float64Array(cells).fill(3e19);
  const before = new Float64Array(cells);
  const flux = new Float64Array(cells + 1);
  const ti = new Float64Array(cells).fill(300);
  const te = new Float64Array(cells).fill(300);
  let powerOut = 0;

  function setCoefficients(crash: number): void {
    const mix = (out: Float64Array, core: number, edge: number, factor: number): void => {
      const more = edge * (factor - 1) * crash;
      for (let i = 0; i <= cells; i++) out[i] = edge + (core - edge) * inCore[i]! + more * hit[i]!;
    };
    mix(particles.diffusivity, CORE_DIFFUSION, inputs.diffusion, inputs.crashParticles);
    mix(heat.chiIons, inputs.chiCore, inputs.chiIons, inputs.crashHeat);
    mix(heat.chiElectrons, inputs.chiCore, inputs.chiElectrons, inputs.crashHeat);
  }

  function advance(dt: number, crash: number): number {
    setCoefficients(crash);
    before.set(n);
    stepDensity(n, flux, dt, particles);
    powerOut = ELEMENTARY_CHARGE * stepHeat(ti, te, before, n, flux, dt, heat);
    return powerOut;
  }

  function settle(): number {
    let dt = 1e-4;
    for (let i = 0; i < STEADY_STEPS; i++) {
      advance(dt, 0);
      dt = Math.min(0.05, dt * 1.05);
    }
    return powerOut;
  }

  function ledger(): Ledger {
    let content = 0;
    let energy = 0;
    for (let i = 0; i < cells; i++) {
      content += n[i]! * grid.volumes[i]!;
      energy += 1.5 * ELEMENTARY_CHARGE * n[i]! * (ti[i]! + te[i]!) * grid.volumes[i]!;
    }
    return {
      particles: content,
      energy,
      particlesIn: inputs.coreFlux + inputs.neutrals,
      particlesOut: flux[cells]! * grid.areas[cells]!,
      powerIn: inputs.ionPower + inputs.electronPower,
      powerOut,
    };
  }

  return { grid, ti, te, n, advance, settle, ledger };
}

/** Share of the duration after a share `x` of the steps: they grow 33-fold, from 1.1 us where all happens to 35 us. */
function stretch(x: number): number {
  return Math.expm1(3.5 * x) / Math.expm1(3.5);
}

/**
 * The crash from the steady state at time 0 to `duration` [s]: `visit` sees each moment that `times` [s, increasing] name,
 * linear between the steps. Its profiles are buffers that are filled anew.
 */
export function runCrash(
  pedestal: Pedestal,
  decay: number,
  duration: number,
  steps: number,
  times: readonly number[],
  visit: (index: number, moment: Moment) => void,
): void {
  const { ti, te, n } = pedestal;
  const last = { ti: ti.slice(), te: te.slice(), n: n.slice(), power: pedestal.ledger().powerOut };
  const between = { ti: ti.slice(), te: te.slice(), n: n.slice() };
  let next = 0;
  let end = 0;
  for (let step = 1; step <= steps; step++) {
    const start = end;
    end = step === steps ? duration : stretch(step / steps) * duration;
    const dt = end - start;
    const due = step === steps ? Infinity : end;
    last.ti.set(ti);
    last.te.set(te);
    last.n.set(n);
    const power = pedestal.advance(dt, crashStrength((start + end) / 2, decay));
    while (next < times.length && times[next]! <= due) {
      const share = Math.min(1, (times[next]! - start) / dt);
      for (let i = 0; i < ti.length; i++) {
        between.ti[i] = last.ti[i]! + share * (ti[i]! - last.ti[i]!);
        between.te[i] = last.te[i]! + share * (te[i]! - last.te[i]!);
        between.n[i] = last.n[i]! + share * (n[i]! - last.n[i]!);
      }
      visit(next, { time: times[next]!, ...between, power: last.power + share * (power - last.power) });
      next++;
    }
    last.power = power;
  }
}
