/** How tracers move: stirring, sinking, and oxygen from the air and the side. */
import type { Column } from "./column.ts";

/** Buffers of `diffuse`, one number per layer. */
export interface Diffusion {
  readonly coupling: Float64Array;
  readonly ratio: Float64Array;
  readonly pivot: Float64Array;
}

/** Buffers for a column of `layers` layers. */
export function makeDiffusion(layers: number): Diffusion {
  return {
    coupling: new Float64Array(layers + 1),
    ratio: new Float64Array(layers),
    pivot: new Float64Array(layers),
  };
}

/** Factors one implicit step of `dt` days with diffusivity [m2/d] at the faces: the Thomas algorithm's first half. */
export function factorDiffusion(out: Diffusion, column: Column, diffusivity: Float64Array, dt: number): void {
  const { coupling, ratio, pivot } = out;
  const { centres, thickness } = column;
  const layers = centres.length;
  for (let k = 1; k < layers; k++) coupling[k] = (dt * diffusivity[k]!) / (centres[k]! - centres[k - 1]!);
  coupling[0] = 0;
  coupling[layers] = 0;
  for (let k = 0; k < layers; k++) {
    const diagonal = thickness[k]! + coupling[k]! + coupling[k + 1]!;
    pivot[k] = k === 0 ? diagonal : diagonal + coupling[k]! * ratio[k - 1]!;
    ratio[k] = -coupling[k + 1]! / pivot[k]!;
  }
}

/** Replaces a tracer by its value after the factored step; its column sum stays. */
export function diffuse(tracer: Float64Array, diffusion: Diffusion, column: Column): void {
  const { coupling, ratio, pivot } = diffusion;
  const { thickness } = column;
  const layers = tracer.length;
  tracer[0] = (thickness[0]! * tracer[0]!) / pivot[0]!;
  for (let k = 1; k < layers; k++) {
    tracer[k] = (thickness[k]! * tracer[k]! + coupling[k]! * tracer[k - 1]!) / pivot[k]!;
  }
  for (let k = layers - 2; k >= 0; k--) tracer[k] = tracer[k]! - ratio[k]! * tracer[k + 1]!;
}

/**
 * Sinks detritus by `dt` days at w = (0.05 / b) z, upwind, none through the bottom: with decay of 0.05 1/d the flux
 * falls as z^-b. Fills `flux` [mmol/m2/d], one number per face.
 */
export function sink(det: Float64Array, flux: Float64Array, column: Column, exponent: number, dt: number): void {
  const { faces, thickness } = column;
  const layers = det.length;
  flux[0] = 0;
  flux[layers] = 0;
  for (let k = 1; k < layers; k++) flux[k] = (0.05 / exponent) * faces[k]! * det[k - 1]!;
  for (let k = 0; k < layers; k++) det[k] = det[k]! + (dt * (flux[k]! - flux[k + 1]!)) / thickness[k]!;
}
