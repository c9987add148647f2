/**
 * Architectures: one choice per slot of a super-architecture. Identity, canonical form, random draws, neighbours and
 * encoding (spec 1, SearchSpace).
 */
import { InternalError, OptionError } from "../errors.ts";
import type { Rng } from "../rng.ts";
import type { Candidate } from "./candidates.ts";
import type { Slot, SuperArchitecture } from "./super-architecture.ts";

/** Index of the chosen candidate, per slot. */
export type Architecture = readonly number[];

/** The string that identifies an architecture: its choices in order. */
export function architectureId(architecture: Architecture): string {
  return architecture.join(".");
}

/** Checks that `architecture` has one valid choice per slot. @throws OptionError */
export function checkArchitecture(space: SuperArchitecture, architecture: Architecture): void {
  if (architecture.length !== space.slots.length)
    throw new OptionError(
      "OPTION_ARCHITECTURE",
      `architecture ${architectureId(architecture)} has ${architecture.length} choices, the super-architecture ${space.slots.length} slots.`,
    );
  architecture.forEach((choice, i) => {
    const slot = space.slots[i];
    if (slot?.candidates[choice] === undefined)
      throw new OptionError("OPTION_ARCHITECTURE", `slot ${slot?.name ?? i} has no candidate ${choice}.`);
  });
}

/** The candidate that `architecture` puts in slot `index`. */
export function chosen(space: SuperArchitecture, architecture: Architecture, index: number): Candidate {
  const candidate = space.slots[index]?.candidates[architecture[index] ?? -1];
  if (candidate === undefined) checkArchitecture(space, architecture);
  return candidate as Candidate;
}

function zeroOf(slot: Slot): number {
  return slot.candidates.findIndex((candidate) => candidate.kind === "zero");
}

/** Canonical form: slots that cannot influence the output are set to their first candidate, so that equal networks share
 * one id. With the fixed skip of every node to the next these are the stages of a field whose decoder is linear. */
export function canonical(space: SuperArchitecture, architecture: Architecture): Architecture {
  checkArchitecture(space, architecture);
  const next = [...architecture];
  for (const head of space.heads) {
    if (head.kind !== "decoder" || isConvolutional(space, architecture, head.decoderSlot)) continue;
    const end = head.decoderSlot + head.stages.length * ((space.stageNodes * (space.stageNodes + 1)) / 2);
    next.fill(0, head.decoderSlot + 1, end + 1);
  }
  return next;
}

/** How `architecture` makes the field of that decoder slot. */
export function decoderOf(space: SuperArchitecture, architecture: Architecture, decoderSlot: number) {
  const candidate = chosen(space, architecture, decoderSlot);
  if (candidate.kind !== "decoder") throw new InternalError(`slot ${decoderSlot} chooses no decoder`);
  return candidate.name;
}

/** Whether it does so by convolutions. */
export function isConvolutional(space: SuperArchitecture, architecture: Architecture, decoderSlot: number): boolean {
  return decoderOf(space, architecture, decoderSlot) === "convolutional";
}

/** Whether any field is made by `architecture` of the coefficients of its components. */
export function learnsCoefficients(space: SuperArchitecture, architecture: Architecture): boolean {
  return space.heads.some(
    (head) =>
      head.kind === "decoder" &&
      head.components !== undefined &&
      !isConvolutional(space, architecture, head.decoderSlot),
  );
}

/** One architecture drawn uniformly, slot by slot. */
export function randomArchitecture(space: SuperArchitecture, rng: Rng): Architecture {
  return space.slots.map((slot) => rng.int(slot.candidates.length));
}

/** One architecture drawn from per-slot probabilities. @param probabilities one row per slot, each summing to 1 */
export function drawArchitecture(probabilities: readonly (readonly number[])[], rng: Rng): Architecture {
  return probabilities.map((row) => {
    let rest = rng.uniform();
    for (let i = 0; i < row.length - 1; i++) {
      rest -= row[i] ?? 0;
      if (rest < 0) return i;
    }
    return row.length - 1;
  });
}

/** All architectures that differ from `architecture` in 1 to `distance` slots. Grows fast: use distance 1 or 2. */
export function neighbours(space: SuperArchitecture, architecture: Architecture, distance = 1): Architecture[] {
  const found: Architecture[] = [];
  const extend = (base: Architecture, firstSlot: number, left: number): void => {
    for (let i = firstSlot; i < space.slots.length; i++)
      space.slots[i]?.candidates.forEach((_, choice) => {
        if (choice === architecture[i]) return;
        const next = base.with(i, choice);
        found.push(next);
        if (left > 1) extend(next, i + 1, left - 1);
      });
  };
  extend(architecture, 0, distance);
  return found;
}

/** Length of {@link encode}: the candidates of all slots. */
export function encodedSize(space: SuperArchitecture): number {
  return space.slots.reduce((sum, slot) => sum + slot.candidates.length, 0);
}

/** Concatenated one-hot rows, slot by slot: also the gates that make the supernet run this architecture. */
export function encode(space: SuperArchitecture, architecture: Architecture): Float32Array {
  return mixture(
    space,
    space.slots.map((slot, i) => slot.candidates.map((_, o) => (o === architecture[i] ? 1 : 0))),
  );
}

/** The plain network that people build by hand: every stage a chain of the smallest convolution that sees its neighbours,
 * nothing beside it, and the other slots as in `base`. Undefined where the space offers none. */
export function plainArchitecture(space: SuperArchitecture, base: Architecture): Architecture | undefined {
  const stages = new Set(
    space.heads.flatMap((head) => (head.kind === "decoder" ? head.stages.map((s) => s.name) : [])),
  );
  const menu = space.slots.find(({ stage }) => stages.has(stage))?.candidates ?? [];
  const kernels = menu.filter((candidate) => candidate.kind === "conv" && candidate.size > 1);
  const reach = (candidate: Candidate): number => (candidate.kind === "conv" ? candidate.size * candidate.dilation : 0);
  const [kernel] = kernels.sort((a, c) => reach(a) - reach(c));
  if (kernel === undefined) return undefined;
  return space.slots.map(({ stage, from, to, candidates }, i) => {
    const named = (name: string): number =>
      Math.max(
        0,
        candidates.findIndex((candidate) => candidate.name === name),
      );
    if (candidates.some(({ kind }) => kind === "decoder")) return named("convolutional");
    if (!stages.has(stage)) return base[i] ?? 0;
    return named(from === to - 1 ? kernel.name : "zero");
  });
}

/** A trunk with every connection live and the activations in turn, as wide as may be; fields by the decoder of that name where
 * there is one. Trunks of one activation, or without skips, learn moving peaks several times worse. */
export function mixedArchitecture(space: SuperArchitecture, decoder: "linear" | "dense"): Architecture {
  return space.slots.map(({ stage, from, to, candidates }) => {
    if (candidates[0]?.kind === "width") return candidates.length - 1;
    if (candidates[0]?.kind === "decoder")
      return Math.max(
        0,
        candidates.findIndex(({ name }) => name === decoder),
      );
    const nonlinear = candidates.flatMap((candidate, i) => (candidate.kind === "dense" ? [i] : []));
    return stage === "trunk" ? (nonlinear[(from + to) % nonlinear.length] ?? 0) : 0;
  });
}

/** Gates for a mixture of candidates. @param rows one row per slot */
export function mixture(space: SuperArchitecture, rows: readonly (readonly number[])[]): Float32Array {
  const gates = new Float32Array(encodedSize(space));
  let at = 0;
  space.slots.forEach((slot, i) => {
    slot.candidates.forEach((_, o) => {
      gates[at++] = rows[i]?.[o] ?? 0;
    });
  });
  return gates;
}

/** Names instead of numbers, for people: `trunk/width 64, trunk/0-1 tanh, ...`, leaving out removed connections. */
export function describeArchitecture(space: SuperArchitecture, architecture: Architecture): string {
  const live = canonical(space, architecture);
  return space.slots
    .map((slot, i) => ({ slot, candidate: chosen(space, live, i), zero: zeroOf(slot) === live[i] }))
    .filter(({ zero }) => !zero)
    .map(({ slot, candidate }) => `${slot.name} ${candidate.name}`)
    .join(", ");
}
