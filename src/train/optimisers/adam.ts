/**
 * Adam (Kingma & Ba 2015) as graph nodes over one flat parameter vector: a dozen nodes however many weights there are.
 * In a supernet, a parameter whose gradient is exactly zero belongs to a candidate that was not drawn; with `sparse` it
 * keeps its value and its moments to the bit (spec 2.2, item 8).
 */
import type { GraphBuilder, NodeId } from "../../graph/index.ts";

export interface AdamState {
  readonly params: NodeId;
  readonly first: NodeId;
  readonly second: NodeId;
}

export const adamDefaults = { beta1: 0.9, beta2: 0.999, epsilon: 1e-8 } as const;

/**
 * Appends one update.
 * @param state the parameters and both moments, each [P]
 * @param gradient [P]
 * @param rate [P], or one element: the learning rate with the bias corrections folded in, see {@link adamRate}
 */
export function adamNodes(
  b: GraphBuilder,
  state: AdamState,
  gradient: NodeId,
  rate: NodeId,
  options: { readonly sparse?: boolean } = {},
): AdamState {
  const { beta1, beta2, epsilon } = adamDefaults;
  const first = b.sum(b.scale(state.first, beta1), b.scale(gradient, 1 - beta1));
  const second = b.sum(b.scale(state.second, beta2), b.scale(b.square(gradient), 1 - beta2));
  const step = b.div(b.mul(first, rate), b.shift(b.unary("Sqrt", second), epsilon));
  const next = { params: b.sub(state.params, step), first, second };
  if (options.sparse !== true) return next;
  const untouched = b.compare("Equal", gradient, b.scalar(0, gradient));
  return {
    params: b.where(untouched, state.params, next.params),
    first: b.where(untouched, state.first, next.first),
    second: b.where(untouched, state.second, next.second),
  };
}

/** Learning rate with Adam's bias corrections folded in (Kingma & Ba 2015, end of section 2). @param step from 0 */
export function adamRate(learningRate: number, step: number): number {
  const { beta1, beta2 } = adamDefaults;
  return (learningRate * Math.sqrt(1 - beta2 ** (step + 1))) / (1 - beta1 ** (step + 1));
}

/** Cosine decay from `from` to `to`. @param fraction 0 to 1 of the way */
export function cosine(from: number, to: number, fraction: number): number {
  return to + (from - to) * 0.5 * (1 + Math.cos(Math.PI * Math.min(1, Math.max(0, fraction))));
}
