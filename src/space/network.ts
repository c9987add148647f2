/**
 * Networks over a super-architecture: the supernet, whose gates are an input, and the compacted network of one
 * architecture, in which only its own operations exist. Both are one function of the gates.
 */
import { type GraphBuilder, graphBuilder, type NodeId } from "../graph/index.ts";
import type { Architecture } from "./architecture.ts";
import { checkArchitecture, encodedSize } from "./architecture.ts";
import { decode, expandComponents } from "./field.ts";
import { fixedGates, type Gates, openGates } from "./gates.ts";
import { collectParameters, type ParameterLayout, type ParameterSource, sliceParameters } from "./parameters.ts";
import type { SuperArchitecture } from "./super-architecture.ts";
import { trunk } from "./trunk.ts";

/** A network to put into a graph. Results are in scaled units. */
export interface Network {
  readonly space: SuperArchitecture;
  readonly layout: ParameterLayout;
  /** Length of the gate vector it takes; 0 for a compacted network. */
  readonly gateCount: number;
  /** Whether a head ends with coefficients of its components. */
  readonly ofComponents: readonly boolean[];
  /** Appends the forward pass.
   * @param x N x d scaled inputs   @param flat [P] weights   @param gates [G], for the supernet only
   * @returns one node per head: N x m for a vector, N x C x ...S for a decoder, N x count where it is `ofComponents` */
  forward(b: GraphBuilder, x: NodeId, flat: NodeId, gates?: NodeId): readonly NodeId[];
}

function heads(
  b: GraphBuilder,
  space: SuperArchitecture,
  x: NodeId,
  parameter: ParameterSource,
  gates: Gates,
): NodeId[] {
  const { y, width } = trunk(b, space, x, parameter, gates);
  return space.heads.map((head) => {
    if (head.kind === "decoder") return decode(b, space, head, { features: y, width, x }, parameter, gates);
    const linear = parameter({
      name: `${head.name}/out/weight`,
      shape: [width, head.size],
      spread: 0.1 / Math.sqrt(width),
    });
    const trend = parameter({ name: `${head.name}/trend/weight`, shape: [space.inputs, head.size], spread: 0 });
    const bias = parameter({ name: `${head.name}/out/bias`, shape: [1, head.size], spread: 0 });
    return b.sum(b.sum(b.matMul(y, linear), b.matMul(x, trend)), bias);
  });
}

function layoutOf(
  space: SuperArchitecture,
  gatesOn: (b: GraphBuilder) => Gates,
): Pick<Network, "layout" | "ofComponents"> {
  const b = graphBuilder();
  const { source, layout } = collectParameters(b);
  const ends = heads(b, space, b.input("x", [1, space.inputs]), source, gatesOn(b));
  const ofComponents = ends.map((end, h) => space.heads[h]?.kind === "decoder" && b.shapeOf(end).length === 2);
  return { layout: layout(), ofComponents };
}

/** Results of a forward pass, fields made of coefficients where it ends with those. @returns N x m or N x C x ...S per head */
export function whole({ space, ofComponents }: Network, b: GraphBuilder, ends: readonly NodeId[]): NodeId[] {
  return ends.map((end, h) => {
    const head = space.heads[h];
    if (ofComponents[h] !== true || head?.kind !== "decoder" || head.components === undefined) return end;
    const [batch = 1] = b.shapeOf(end);
    return b.reshape(expandComponents(b, end, head.components), [batch, head.channels, ...head.spatial]);
  });
}

/** The supernet: every candidate of every slot, run through gates that are an input. */
export function supernet(space: SuperArchitecture): Network {
  const gateCount = encodedSize(space);
  const { layout, ofComponents } = layoutOf(space, (b) => openGates(b, space, b.input("gates", [gateCount])));
  return {
    space,
    layout,
    ofComponents,
    gateCount,
    forward(b, x, flat, gates) {
      if (gates === undefined) throw new RangeError("internal: the supernet needs gates");
      return heads(b, space, x, sliceParameters(b, flat, layout), openGates(b, space, gates));
    },
  };
}

/** The network of one architecture: dead candidates, channels and nodes are gone.
 * @throws OptionError if the architecture does not belong to the space */
export function compact(space: SuperArchitecture, architecture: Architecture): Network {
  checkArchitecture(space, architecture);
  const gates = fixedGates(architecture);
  const { layout, ofComponents } = layoutOf(space, () => gates);
  return {
    space,
    layout,
    ofComponents,
    gateCount: 0,
    forward: (b, x, flat) => heads(b, space, x, sliceParameters(b, flat, layout), gates),
  };
}
