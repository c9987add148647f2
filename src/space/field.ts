/**
 * The field of one decoder head: a linear map of the trunk's features, a wide layer and a linear map, or a convolutional decoder;
 * the first two as coefficients of components where the head has them.
 */
import { type GraphBuilder, type NodeId, sizeOf } from "../graph/index.ts";
import { convolutionalField, type DecoderHead, type DecoderInput, decoderStemWidth, linear } from "./decoder.ts";
import { type Gates, gated } from "./gates.ts";
import type { ParameterSource } from "./parameters.ts";
import type { Components, SuperArchitecture } from "./super-architecture.ts";
import { activate } from "./trunk.ts";

/** A linear map of the trunk's features, or of a wide layer between. @returns N x outputs */
function denseField(
  b: GraphBuilder,
  name: "linear" | "dense",
  head: DecoderHead,
  { features, width }: DecoderInput,
  parameter: ParameterSource,
): NodeId {
  let h = features;
  let from = width;
  if (name === "dense") {
    const spread = Math.sqrt(2 / width);
    h = activate(b, "silu", h);
    h = linear(b, h, parameter, { name: `${head.name}/dense0`, from, to: decoderStemWidth, spread });
    h = activate(b, "silu", h);
    from = decoderStemWidth;
  }
  const scales = head.components === undefined ? {} : { scales: head.components.scales };
  const spread = 0.1 / Math.sqrt(from);
  return b.matMul(
    h,
    parameter({ name: `${head.name}/${name}/weight`, shape: [from, outputsOf(head)], spread, ...scales }),
  );
}

/** Numbers that linear and dense decoders predict: coefficients of the head's components, else the field itself. */
export function outputsOf(head: DecoderHead): number {
  return head.components?.count ?? head.channels * sizeOf(head.spatial);
}

/** Fields from coefficients. @param coefficients [..., count] @returns [..., size of the field] */
export function expandComponents(b: GraphBuilder, coefficients: NodeId, { count, basis }: Components): NodeId {
  return b.matMul(coefficients, b.constant(basis, [count, basis.length / count]));
}

/**
 * The field of one decoder head, in scaled units: a linear map of the trunk's features, a wide layer and a linear map, or a
 * convolutional decoder, plus a linear trend in the inputs.
 * @returns N x channels x ...spatial; where the head has components and no gate of a convolutional decoder is open, their
 * coefficients, N x count
 */
export function decode(
  b: GraphBuilder,
  space: SuperArchitecture,
  head: DecoderHead,
  input: DecoderInput,
  parameter: ParameterSource,
  gates: Gates,
): NodeId {
  const batch = b.shapeOf(input.features)[0] ?? 1;
  const { components } = head;
  const scales = components === undefined ? {} : { scales: components.scales };
  const trend = { name: `${head.name}/trend`, from: space.inputs, to: outputsOf(head), spread: 0, ...scales };
  let flat = linear(b, input.x, parameter, trend);
  const fields: NodeId[] = [];
  for (const [o, candidate] of (space.slots[head.decoderSlot]?.candidates ?? []).entries()) {
    const gate = gates(head.decoderSlot, o);
    if (candidate.kind !== "decoder" || gate === 0) continue;
    if (candidate.name === "convolutional")
      fields.push(gated(b, gate, convolutionalField(b, space, head, input, parameter, gates)) as NodeId);
    else flat = b.sum(flat, gated(b, gate, denseField(b, candidate.name, head, input, parameter)) as NodeId);
  }
  if (components !== undefined) {
    if (fields.length === 0) return flat;
    flat = expandComponents(b, flat, components);
  }
  const field = b.reshape(flat, [batch, head.channels, ...head.spatial]);
  return fields.reduce((sum, part) => b.sum(sum, part), field);
}
