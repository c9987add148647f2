/**
 * The super-architecture: the large network in which every connection holds a group of candidate operations. It is pure
 * data, made from the sizes of a problem. A dense *trunk* maps the inputs to features; a *head* per group of outputs
 * reads them: all scalars share one linear head, each signal or image has a decoder of its own, linear or convolutional
 * by the choice of one slot.
 *
 * Source: DENSE (Kasim et al. 2021), spec 2.1. Departs: the trunk, which the spec keeps as a fixed stem, is itself
 * searched (dense slots, width), so that a table of scalars is served by a real searched network.
 */
import type { Candidate } from "./candidates.ts";
import { convMenu, decoderMenu, denseMenu, widthMenu } from "./candidates.ts";

/** A place where one candidate operation is chosen. */
export interface Slot {
  readonly name: string;
  /** `trunk`, or the name of the head's stage. */
  readonly stage: string;
  /** Nodes that the connection joins; -1 to -1 for a choice that is not a connection (width). */
  readonly from: number;
  readonly to: number;
  readonly candidates: readonly Candidate[];
  /** A fixed slot has one candidate and is never searched. */
  readonly fixed: boolean;
}

/** One convolutional resolution of a decoder: `nodes` + 1 nodes of `channels` x `size`. */
export interface Stage {
  readonly name: string;
  readonly channels: number;
  readonly size: readonly number[];
  /** Index of the stage's first slot in the super-architecture. */
  readonly firstSlot: number;
}

/** Orthonormal directions that a field is nearly a sum of. Linear and dense decoders predict the coefficients: a field of
 * thousands of numbers is learned as some hundred, and all members share the directions. */
export interface Components {
  readonly count: number;
  /** count x size of the field, row-major. */
  readonly basis: Float32Array;
  /** Root mean square of each coefficient: the unit in which its weights start and move. */
  readonly scales: Float32Array;
}

/** What reads the trunk: a vector of scalars, or one field with a shape. */
export type Head =
  | { readonly kind: "vector"; readonly name: string; readonly size: number }
  | {
      readonly kind: "decoder";
      readonly name: string;
      /** Output channels and the spatial shape of the field: [L] or [H, W]. */
      readonly channels: number;
      readonly spatial: readonly number[];
      /** Index of the slot that chooses how the field is made. */
      readonly decoderSlot: number;
      readonly stages: readonly Stage[];
      readonly components?: Components;
    };

export interface SuperArchitecture {
  /** Scaled inputs of the network. */
  readonly inputs: number;
  /** Largest trunk width. */
  readonly width: number;
  /** Nodes of the trunk after its first, and of each stage after its first. */
  readonly trunkNodes: number;
  readonly stageNodes: number;
  readonly heads: readonly Head[];
  /** All slots: the trunk's width, the trunk's connections, then each field's decoder and stages in order. */
  readonly slots: readonly Slot[];
}

/** Whether any output is a signal or an image. */
export function hasFields({ heads }: { readonly heads: readonly { readonly kind: HeadRequest["kind"] }[] }): boolean {
  return heads.some(({ kind }) => kind === "decoder");
}

/** Numbers of a run that a head makes. */
export function headSize(head: HeadRequest): number {
  return head.kind === "vector" ? head.size : head.channels * head.spatial.reduce((a, c) => a * c, 1);
}

/** Numbers of a run, over all heads. */
export function outputsOf({ heads }: { readonly heads: readonly HeadRequest[] }): number {
  return heads.reduce((sum, head) => sum + headSize(head), 0);
}

/** The components of each head, where it has them. */
export function componentsOf({ heads }: SuperArchitecture): readonly (Components | undefined)[] {
  return heads.map((head) => (head.kind === "decoder" ? head.components : undefined));
}

/** A group of outputs to serve: shape [] or [m] with `kind: "vector"`, [C, L] or [C, H, W] for a decoder. */
export type HeadRequest =
  | { readonly kind: "vector"; readonly name: string; readonly size: number }
  | {
      readonly kind: "decoder";
      readonly name: string;
      readonly channels: number;
      readonly spatial: readonly number[];
      readonly components?: Components;
    };

export interface SuperArchitectureOptions {
  readonly inputs: number;
  readonly heads: readonly HeadRequest[];
  /** Trunk widths to choose from, ascending. Default [32, 64]. */
  readonly widths?: readonly number[];
  /** Nodes after the first in the trunk. Default 3. */
  readonly trunkNodes?: number;
  /** Nodes after the first in each stage. Default 3. */
  readonly stageNodes?: number;
  /** Channels of the first stage. Default 32; halved per stage down to `minChannels` (default 8) where `halve` is on
   * (default). Constant channels cost seven times as much for a signal of 250 points, and learn less in the same time. */
  readonly channels?: number;
  readonly minChannels?: number;
  readonly halve?: boolean;
  readonly denseMenu?: readonly Candidate[];
  readonly convMenu?: readonly Candidate[];
  readonly decoderMenu?: readonly Candidate[];
}

/** Number of doublings between the first stage and the field: S = clamp(ceil(log2(L / 16)), 0, 4), larger axis in 2-D. */
export function doublings(spatial: readonly number[]): number {
  return Math.min(4, Math.max(0, Math.ceil(Math.log2(Math.max(...spatial) / 16))));
}

/** Slots of one group of `nodes` + 1 nodes: one per pair u < v. Identity is offered only where u < v - 1, because the
 * previous node is always added. */
function groupSlots(stage: string, nodes: number, menu: readonly Candidate[]): Slot[] {
  const slots: Slot[] = [];
  for (let to = 1; to <= nodes; to++)
    for (let from = 0; from < to; from++) {
      const candidates = from < to - 1 ? menu : menu.filter((candidate) => candidate.kind !== "identity");
      slots.push({ name: `${stage}/${from}-${to}`, stage, from, to, candidates, fixed: candidates.length === 1 });
    }
  return slots;
}

/** Slots that one group of `nodes` + 1 nodes has. */
export function slotsPerGroup(nodes: number): number {
  return (nodes * (nodes + 1)) / 2;
}

/** Lays out the super-architecture of a problem. */
export function superArchitecture(options: SuperArchitectureOptions): SuperArchitecture {
  const { inputs, trunkNodes = 3, stageNodes = 3, widths = [32, 64], channels = 32, minChannels = 8 } = options;
  const slots: Slot[] = [];
  const width = widthMenu(widths);
  slots.push({ name: "trunk/width", stage: "trunk", from: -1, to: -1, candidates: width, fixed: width.length === 1 });
  slots.push(...groupSlots("trunk", trunkNodes, options.denseMenu ?? denseMenu));
  const heads = options.heads.map((request): Head => {
    if (request.kind === "vector") return request;
    const { name, spatial } = request;
    const steps = doublings(spatial);
    const halve = options.halve ?? true;
    const decoderSlot = slots.length;
    const decoders = options.decoderMenu ?? decoderMenu;
    slots.push({
      name: `${name}/decoder`,
      stage: name,
      from: -1,
      to: -1,
      candidates: decoders,
      fixed: decoders.length === 1,
    });
    const stages = Array.from({ length: steps + 1 }, (_, i): Stage => {
      const stage: Stage = {
        name: `${name}/${i}`,
        channels: halve ? Math.max(Math.min(minChannels, channels), channels >> i) : channels,
        size: spatial.map((size) => Math.ceil(size / 2 ** steps) * 2 ** i),
        firstSlot: slots.length,
      };
      slots.push(...groupSlots(stage.name, stageNodes, options.convMenu ?? convMenu));
      return stage;
    });
    return { ...request, decoderSlot, stages };
  });
  return { inputs, width: Math.max(...widths), trunkNodes, stageNodes, heads, slots };
}
