/**
 * All weights of a network live in one flat vector: the optimiser's update is then a dozen nodes instead of a dozen per
 * weight, and carrying weights, checkpoints and worker messages are plain copies. A {@link ParameterLayout} says where
 * each named tensor lies and how it starts.
 */
import { InternalError } from "../errors.ts";
import { type GraphBuilder, type NodeId, sizeOf } from "../graph/index.ts";
import type { Rng } from "../rng.ts";

export interface Parameter {
  readonly name: string;
  readonly shape: readonly number[];
  readonly offset: number;
  readonly size: number;
  /** Standard deviation of the normal it starts from; 0 starts at zero. */
  readonly spread: number;
  /** Units of the last axis's columns: of the spread, and of the steps that Adam takes. Default: 1. */
  readonly scales?: Float32Array;
  /** The candidate that owns it, where one does: untouched while the candidate is not used. */
  readonly owner?: { readonly slot: number; readonly candidate: number };
}

/** Weights decay, biases do not. */
export function decays(parameter: Parameter): boolean {
  return !parameter.name.endsWith("/bias");
}

export interface ParameterLayout {
  readonly parameters: readonly Parameter[];
  /** Length of the flat vector. */
  readonly size: number;
}

export type ParameterRequest = Omit<Parameter, "offset" | "size">;

/** Where a forward pass gets its weights from. */
export type ParameterSource = (request: ParameterRequest) => NodeId;

/** A source that only writes down what is asked for; each weight becomes an input of a throw-away graph. */
export function collectParameters(b: GraphBuilder): { readonly source: ParameterSource; layout(): ParameterLayout } {
  const parameters: Parameter[] = [];
  let size = 0;
  return {
    source(request) {
      const count = sizeOf(request.shape);
      parameters.push({ ...request, offset: size, size: count });
      size += count;
      return b.input(request.name, request.shape);
    },
    layout: () => ({ parameters, size }),
  };
}

/** A source that cuts the weights out of one flat node [P]. */
export function sliceParameters(b: GraphBuilder, flat: NodeId, layout: ParameterLayout): ParameterSource {
  const byName = new Map(layout.parameters.map((parameter) => [parameter.name, parameter]));
  return ({ name }) => {
    const parameter = byName.get(name);
    if (parameter === undefined) throw new InternalError(`the layout has no parameter ${name}`);
    const { offset, size, shape } = parameter;
    return b.reshape(b.slice(flat, 0, offset, offset + size), shape);
  };
}

/** Starting weights. Each tensor has its own random stream, so its values do not depend on what else there is. */
export function initialise(layout: ParameterLayout, rng: Rng): Float32Array {
  const flat = new Float32Array(layout.size);
  for (const { name, offset, size, spread, scales } of layout.parameters) {
    if (spread === 0) continue;
    const stream = rng.fork(name);
    for (let i = 0; i < size; i++)
      flat[offset + i] = spread * stream.normal() * (scales === undefined ? 1 : (scales[i % scales.length] ?? 1));
  }
  return flat;
}

/** Fills the learning rates of one parameter's weights. @param rates of all weights of its layout */
export function fillRates(rates: Float32Array, { offset, size, scales }: Parameter, rate: number): void {
  if (scales === undefined) rates.fill(rate, offset, offset + size);
  else for (let i = 0; i < size; i++) rates[offset + i] = rate * (scales[i % scales.length] ?? 1);
}

/** Copies the leading block of every tensor that both layouts name from one flat vector to another: this carries the
 * supernet's weights over to a compacted network, whose tensors are leading blocks of the supernet's.
 * @returns `target`, with the shared tensors overwritten */
export function carryWeights(
  from: ParameterLayout,
  source: Float32Array,
  to: ParameterLayout,
  target: Float32Array,
): Float32Array {
  const byName = new Map(from.parameters.map((parameter) => [parameter.name, parameter]));
  for (const parameter of to.parameters) {
    const donor = byName.get(parameter.name);
    if (donor === undefined) continue;
    copyBlock(donor, source, parameter, target);
  }
  return target;
}

function copyBlock(donor: Parameter, source: Float32Array, taker: Parameter, target: Float32Array): void {
  if (donor.size === taker.size) {
    target.set(source.subarray(donor.offset, donor.offset + donor.size), taker.offset);
    return;
  }
  const rank = taker.shape.length;
  if (donor.shape.length !== rank) throw new InternalError(`parameter ${taker.name} changed its number of axes`);
  const walk = (axis: number, from: number, to: number): void => {
    const size = Math.min(taker.shape[axis] ?? 1, donor.shape[axis] ?? 1);
    const fromStride = donor.shape.slice(axis + 1).reduce((a, c) => a * c, 1);
    const toStride = taker.shape.slice(axis + 1).reduce((a, c) => a * c, 1);
    if (axis >= rank - 1) {
      target.set(source.subarray(from, from + size), to);
      return;
    }
    for (let i = 0; i < size; i++) walk(axis + 1, from + i * fromStride, to + i * toStride);
  };
  walk(0, donor.offset, taker.offset);
}
