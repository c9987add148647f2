/**
 * Gates decide how much of each candidate runs. *Open* gates are an input of the graph: one compiled supernet serves
 * one-hot draws, two-path and soft mixtures, and the gradient with respect to the gates falls out of the backward pass.
 * *Fixed* gates are known while the graph is built: dead candidates never become nodes, which is how an architecture is
 * compacted to its own small network.
 */
import type { GraphBuilder, NodeId } from "../graph/index.ts";
import type { Architecture } from "./architecture.ts";
import { encodedSize } from "./architecture.ts";
import type { SuperArchitecture } from "./super-architecture.ts";

/** 0: the candidate is not there. 1: it is there in full. Else a node of shape [1] to multiply it by. */
export type Gate = 0 | 1 | { readonly node: NodeId };

export type Gates = (slot: number, candidate: number) => Gate;

/** Gates of one architecture, known now. */
export function fixedGates(architecture: Architecture): Gates {
  return (slot, candidate) => (architecture[slot] === candidate ? 1 : 0);
}

/** Gates read from a node of shape [G], in the order of `encode`. */
export function openGates(b: GraphBuilder, space: SuperArchitecture, gates: NodeId): Gates {
  const starts: number[] = [];
  let at = 0;
  for (const slot of space.slots) {
    starts.push(at);
    at += slot.candidates.length;
  }
  const nodes = Array.from({ length: encodedSize(space) }, (_, i) => b.slice(gates, 0, i, i + 1));
  return (slot, candidate) => ({ node: nodes[(starts[slot] ?? 0) + candidate] as NodeId });
}

/** Gate of the slot's zero candidate; 0 where its menu has none, so that the connection is always there. */
export function zeroGate(space: SuperArchitecture, slot: number, gates: Gates): Gate {
  const zero = space.slots[slot]?.candidates.findIndex(({ kind }) => kind === "zero") ?? -1;
  return zero < 0 ? 0 : gates(slot, zero);
}

/** x times a gate; nothing where the gate is closed. */
export function gated(b: GraphBuilder, gate: Gate, x: NodeId): NodeId | undefined {
  if (gate === 0) return undefined;
  return gate === 1 ? x : b.mul(x, gate.node);
}

/** How many of the given zero-gates are closed, as in the node rule of spec 2.1: the number of live connections into a
 * node. A number with fixed gates, a node [1] with open ones. */
export function liveConnections(b: GraphBuilder, zeroGates: readonly Gate[]): number | { readonly node: NodeId } {
  let fixed = 0;
  let open: NodeId | undefined;
  for (const gate of zeroGates) {
    if (gate === 0) fixed += 1;
    else if (gate !== 1) {
      const live = b.sub(b.scalar(1, gate.node), gate.node);
      open = open === undefined ? live : b.sum(open, live);
    }
  }
  if (open === undefined) return fixed;
  return { node: b.shift(open, fixed) };
}
