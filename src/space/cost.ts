/**
 * Cost of an architecture without building it: multiply-accumulates of one forward row, and weights. A sum over slots,
 * so that a search may ask for thousands. A test holds it equal to the count over the compacted graph.
 */
import { type Architecture, chosen, decoderOf } from "./architecture.ts";
import type { Candidate } from "./candidates.ts";
import { decoderStemWidth } from "./decoder.ts";
import { outputsOf } from "./field.ts";
import { slotsPerGroup, type SuperArchitecture } from "./super-architecture.ts";

function product(sizes: readonly number[]): number {
  return sizes.reduce((a, c) => a * c, 1);
}

/** Width of the trunk that `architecture` chooses. */
export function widthOf(space: SuperArchitecture, architecture: Architecture): number {
  const candidate = chosen(space, architecture, 0);
  return candidate.kind === "width" ? candidate.width : space.width;
}

function convMacs(candidate: Candidate, channels: number, size: readonly number[]): number {
  if (candidate.kind !== "conv") return 0;
  return candidate.size ** size.length * channels * channels * product(size);
}

/** Multiply-accumulates of one row through the compacted network; where that ends with coefficients, making the field of
 * them is not its work. */
export function macs(space: SuperArchitecture, architecture: Architecture): number {
  const width = widthOf(space, architecture);
  let total = space.inputs * width;
  for (let i = 1; i <= slotsPerGroup(space.trunkNodes); i++)
    if (chosen(space, architecture, i).kind === "dense") total += width * width;
  for (const head of space.heads) {
    if (head.kind === "vector") {
      total += (width + space.inputs) * head.size;
      continue;
    }
    const outputs = outputsOf(head);
    total += space.inputs * outputs;
    const decoder = decoderOf(space, architecture, head.decoderSlot);
    if (decoder !== "convolutional") {
      total += decoder === "linear" ? width * outputs : (width + outputs) * decoderStemWidth;
      continue;
    }
    const size = head.channels * product(head.spatial);
    if (head.components !== undefined) total += outputs * size;
    const [first] = head.stages;
    if (first === undefined) continue;
    total += width * decoderStemWidth + decoderStemWidth * first.channels * product(first.size);
    head.stages.forEach((stage, i) => {
      const before = head.stages[i - 1];
      if (before !== undefined) total += doublingMacs(before.channels, before.size);
      if (before !== undefined)
        total += 3 ** stage.size.length * before.channels * stage.channels * product(stage.size);
      for (let slot = stage.firstSlot; slot < stage.firstSlot + slotsPerGroup(space.stageNodes); slot++)
        total += convMacs(chosen(space, architecture, slot), stage.channels, stage.size);
    });
    const last = head.stages.at(-1) ?? first;
    total += last.channels * size;
  }
  return total;
}

/** The interpolation's matrix products: the last axis first, then the first axis of an image. */
function doublingMacs(channels: number, size: readonly number[]): number {
  const last = size.at(-1) ?? 1;
  const along = channels * product(size) * 2 * last;
  if (size.length === 1) return along;
  const [height = 1] = size;
  return along + channels * 2 * height * height * 2 * last;
}

/** Shape of the tensor at the trunk, at each stage and at each head, for people and reports. */
export function shapeTrace(space: SuperArchitecture, architecture: Architecture): readonly string[] {
  const trace = [`input [${space.inputs}]`, `trunk [${widthOf(space, architecture)}]`];
  for (const head of space.heads) {
    if (head.kind === "vector") trace.push(`${head.name} [${head.size}]`);
    else {
      for (const stage of head.stages) trace.push(`${stage.name} [${stage.channels}, ${stage.size.join(", ")}]`);
      trace.push(`${head.name} [${head.channels}, ${head.spatial.join(", ")}]`);
    }
  }
  return trace;
}

/** The architecture of fewest multiply-accumulates that choosing slot by slot finds. */
export function cheapest(space: SuperArchitecture): Architecture {
  let best: Architecture = space.slots.map(() => 0);
  for (let round = 0; round < 2; round++)
    for (const [slot, { candidates }] of space.slots.entries()) {
      const options = candidates.map((_, choice) => best.with(slot, choice));
      const costs = options.map((option) => macs(space, option));
      best = options[costs.indexOf(Math.min(...costs))] ?? best;
    }
  return best;
}
