/**
 * The trunk: dense nodes y_0..y_n of one width, a slot on every pair u < v, and the node rule of DENSE (spec 2.1)
 *
 *   y_v = y_{v-1} + (1 / sqrt(k_v)) * ( sum_{u<v} op_{u,v}(y_u) + bias_v ),   k_v = number of non-zero operations into v.
 *
 * All candidates that enter a node are one matrix product: the activations of all earlier nodes side by side, times the
 * gated weights stacked in the same order.
 */
import type { GraphBuilder, NodeId } from "../graph/index.ts";
import type { Activation } from "./candidates.ts";
import { type Gate, type Gates, gated, liveConnections, zeroGate } from "./gates.ts";
import type { ParameterSource } from "./parameters.ts";
import type { SuperArchitecture } from "./super-architecture.ts";

/** The activation's nodes. All of them are 0 at 0, so that masked channels stay masked. */
export function activate(b: GraphBuilder, activation: Activation, x: NodeId): NodeId {
  switch (activation) {
    case "tanh":
      return b.unary("Tanh", x);
    case "silu":
      return b.mul(x, b.unary("Sigmoid", x));
    case "relu":
      return b.unary("Relu", x);
    case "sin":
      return b.unary("Sin", x);
    default:
      return activation satisfies never;
  }
}

/** Multiplies by 1 / sqrt(max(1, k)); with no live connection at all there is nothing to add. */
export function scaleByConnections(b: GraphBuilder, x: NodeId, k: ReturnType<typeof liveConnections>): NodeId {
  if (typeof k === "number") return b.scale(x, 1 / Math.sqrt(Math.max(1, k)));
  const atLeastOne = b.binary("Max", k.node, b.scalar(1, k.node));
  return b.div(x, b.unary("Sqrt", atLeastOne));
}

/** 1 where a node has any live connection, else 0; used to switch its bias off with it. */
export function isLive(b: GraphBuilder, k: ReturnType<typeof liveConnections>): Gate {
  if (typeof k === "number") return k > 0 ? 1 : 0;
  return { node: b.binary("Min", k.node, b.scalar(1, k.node)) };
}

/** The live width: a number with fixed gates; with open gates the full width and a mask [1, width] to multiply by. */
function trunkWidth(b: GraphBuilder, space: SuperArchitecture, gates: Gates): { width: number; mask?: NodeId } {
  const candidates = space.slots[0]?.candidates ?? [];
  const parts: NodeId[] = [];
  for (const [o, candidate] of candidates.entries()) {
    if (candidate.kind !== "width") continue;
    const gate = gates(0, o);
    if (gate === 1) return { width: candidate.width };
    if (gate === 0) continue;
    const ones = Array.from({ length: space.width }, (_, i) => (i < candidate.width ? 1 : 0));
    parts.push(b.mul(gate.node, b.constant(ones, [1, space.width])));
  }
  return { width: space.width, mask: parts.reduce((sum, part) => b.sum(sum, part)) };
}

/**
 * Features of the trunk.
 * @param x N x d scaled inputs
 * @returns the last node, N x width, and the width
 */
export function trunk(
  b: GraphBuilder,
  space: SuperArchitecture,
  x: NodeId,
  parameter: ParameterSource,
  gates: Gates,
): { readonly y: NodeId; readonly width: number } {
  const { width, mask } = trunkWidth(b, space, gates);
  const masked = (h: NodeId): NodeId => (mask === undefined ? h : b.mul(h, mask));
  const stem = b.matMul(
    x,
    parameter({ name: "trunk/stem/weight", shape: [space.inputs, width], spread: 1 / Math.sqrt(space.inputs) }),
  );
  const nodes = [masked(b.sum(stem, parameter({ name: "trunk/stem/bias", shape: [1, width], spread: 0 })))];
  const activated = new Map<string, NodeId>();
  const feature = (u: number, activation: Activation): NodeId => {
    const key = `${u} ${activation}`;
    const known = activated.get(key);
    if (known !== undefined) return known;
    const made = activate(b, activation, nodes[u] as NodeId);
    activated.set(key, made);
    return made;
  };

  let slot = 1;
  for (let v = 1; v <= space.trunkNodes; v++) {
    const features: NodeId[] = [];
    const weights: NodeId[] = [];
    const passed: NodeId[] = [];
    const zeroGates: Gate[] = [];
    for (let u = 0; u < v; u++, slot++) {
      zeroGates.push(zeroGate(space, slot, gates));
      for (const [o, candidate] of (space.slots[slot]?.candidates ?? []).entries()) {
        const gate = gates(slot, o);
        if (gate === 0) continue;
        if (candidate.kind === "identity") {
          const kept = gated(b, gate, nodes[u] as NodeId);
          if (kept !== undefined) passed.push(kept);
        } else if (candidate.kind === "dense") {
          const weight = parameter({
            name: `trunk/${u}-${v}/${candidate.name}`,
            shape: [width, width],
            spread: 0.3 / Math.sqrt(width),
            owner: { slot, candidate: o },
          });
          const scaled = gated(b, gate, weight);
          if (scaled !== undefined) {
            weights.push(scaled);
            features.push(feature(u, candidate.activation));
          }
        }
      }
    }
    const k = liveConnections(b, zeroGates);
    const live = isLive(b, k);
    let y = nodes[v - 1] as NodeId;
    if (live !== 0) {
      const bias = gated(b, live, parameter({ name: `trunk/${v}/bias`, shape: [1, width], spread: 0 })) as NodeId;
      let added = features.length > 0 ? b.sum(b.matMul(b.concat(features, 1), b.concat(weights, 0)), bias) : bias;
      for (const part of passed) added = b.sum(added, part);
      y = b.sum(y, masked(scaleByConnections(b, added, k)));
    }
    nodes.push(y);
  }
  return { y: nodes.at(-1) as NodeId, width };
}
