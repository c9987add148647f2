/**
 * The graphs that training runs: one step of Adam (forward, backward and update in one engine call), loss with gradient
 * for the line search, loss alone for validation, and prediction. All take the weights as one flat vector.
 */
import { differentiate, type Graph, type GraphBuilder, graphBuilder, type NodeId, sizeOf } from "../graph/index.ts";
import { decays, type Network, whole } from "../space/index.ts";
import { type LossName, lossNode } from "./loss.ts";
import { adamNodes } from "./optimisers/index.ts";

export interface LossOptions {
  readonly loss: LossName;
  /** Rows of one call. */
  readonly rows: number;
}

/** Learned noise levels that the `gaussian` loss appends to the weights: one per scalar, one per channel of a field. */
export function noiseLevels(network: Network): readonly number[] {
  return network.space.heads.map((head) => (head.kind === "vector" ? head.size : head.channels));
}

/** Length of the trained vector: the network's weights, then the noise levels where the loss learns them. */
export function trainedSize(network: Network, loss: LossName): number {
  const extra = loss === "gaussian" ? noiseLevels(network).reduce((a, c) => a + c, 0) : 0;
  return network.layout.size + extra;
}

/** Which heads are learned as coefficients of components: the mean of squares is the same there, other losses are not. */
export function coefficientsLearned(network: Network, loss: LossName): readonly boolean[] {
  return loss === "mse" ? network.ofComponents : network.ofComponents.map(() => false);
}

/** Shape of one head's output for `rows` rows, and numbers of the loss per number of the field. */
function endOf(
  network: Network,
  index: number,
  rows: number,
  learned: boolean,
): { readonly shape: readonly number[]; readonly share: number } {
  const head = network.space.heads[index];
  if (head === undefined) throw new RangeError("internal: no such head");
  if (head.kind === "vector") return { shape: [rows, head.size], share: 1 };
  const shape = [rows, head.channels, ...head.spatial];
  const count = head.components?.count ?? 0;
  return learned ? { shape: [rows, count], share: count / sizeOf(shape.slice(1)) } : { shape, share: 1 };
}

interface LossNodes {
  readonly params: NodeId;
  readonly loss: NodeId;
}

/** Inputs `x`, `y0`.. and, for a supernet, `gates`; the mean over heads of their losses. */
function lossOn(b: GraphBuilder, network: Network, { loss, rows }: LossOptions): LossNodes {
  const x = b.input("x", [rows, network.space.inputs]);
  const params = b.input("params", [trainedSize(network, loss)]);
  const gates = network.gateCount > 0 ? b.input("gates", [network.gateCount]) : undefined;
  const learned = coefficientsLearned(network, loss);
  const ends = network.forward(b, x, params, gates);
  const predictions = loss === "mse" ? ends : whole(network, b, ends);
  let at = network.layout.size;
  const parts = predictions.map((prediction, i) => {
    const { shape, share } = endOf(network, i, rows, learned[i] === true);
    const target = b.input(`y${i}`, shape);
    if (loss !== "gaussian") {
      const mean = lossNode(b, loss, prediction, target);
      return share === 1 ? mean : b.scale(mean, share);
    }
    const count = noiseLevels(network)[i] ?? 0;
    const levels = b.slice(params, 0, at, at + count);
    at += count;
    const trailing = shape.slice(2).map(() => 1);
    return lossNode(b, loss, prediction, target, b.reshape(levels, [1, count, ...trailing]));
  });
  const total = parts.reduce((sum, part) => b.sum(sum, part));
  return { params, loss: b.scale(total, 1 / parts.length) };
}

/** Whether weights differ in the units that they move in. */
export function hasUnits(network: Network): boolean {
  return network.layout.parameters.some(({ scales }) => scales !== undefined);
}

/** One Adam step. Inputs: x, y0.., params, first, second [P], rate [1], or [P] with `sparse`, where each weight has a
 * bias correction of its own, and where they have units, gates. Outputs: params, first, second, loss. */
export function adamStepGraph(
  network: Network,
  options: LossOptions & {
    readonly sparse?: boolean;
    /** Weight of the sum of squared weights. Default 0. */ readonly weightDecay?: number;
  },
): Graph {
  const b = graphBuilder();
  const { params, loss } = lossOn(b, network, options);
  const size = trainedSize(network, options.loss);
  const [gradient] = differentiate(b, loss, [params]) as [NodeId];
  const decay = options.weightDecay ?? 0;
  const decayed =
    decay === 0 ? gradient : b.sum(gradient, b.mul(params, b.constant(decayMask(network, size, 2 * decay), [size])));
  const state = { params, first: b.input("first", [size]), second: b.input("second", [size]) };
  const sparse = options.sparse === true ? { sparse: true } : {};
  const rate = b.input("rate", [options.sparse === true || hasUnits(network) ? size : 1]);
  const next = adamNodes(b, state, decayed, rate, sparse);
  return b.build({ nextParams: next.params, nextFirst: next.first, nextSecond: next.second, loss });
}

/** `value` for every weight that decays, 0 for biases and noise levels. */
export function decayMask(network: Network, size: number, value: number): Float32Array {
  const mask = new Float32Array(size);
  for (const parameter of network.layout.parameters)
    if (decays(parameter)) mask.fill(value, parameter.offset, parameter.offset + parameter.size);
  return mask;
}

/** Loss (float64) and gradient [P]. Inputs: x, y0.., params. */
export function objectiveGraph(network: Network, options: LossOptions): Graph {
  const b = graphBuilder();
  const { params, loss } = lossOn(b, network, options);
  const [gradient] = differentiate(b, loss, [params]) as [NodeId];
  return b.build({ loss, gradient });
}

/** Loss alone (float64). Inputs: x, y0.., params, gates. */
export function lossGraph(network: Network, options: LossOptions): Graph {
  const b = graphBuilder();
  return b.build({ loss: lossOn(b, network, options).loss });
}

/** Predictions in scaled units, N x size per head. Inputs: x [N, d], params, gates. Outputs: head0.. */
export function predictGraph(network: Network): Graph {
  const b = graphBuilder();
  const x = b.input("x", ["N", network.space.inputs]);
  const params = b.input("params", [network.layout.size]);
  const gates = network.gateCount > 0 ? b.input("gates", [network.gateCount]) : undefined;
  const heads = whole(network, b, network.forward(b, x, params, gates));
  return b.build(Object.fromEntries(heads.map((head, i) => [`head${i}`, head])));
}
