/** The reuse-factor back end: the smallest common reuse factor whose design fits (spec latency 4.5). */
import type { Network, Operation } from "../../network.ts";
import type { FpgaResources } from "../../prediction.ts";
import type { FpgaDevice } from "../../target.ts";
import { knownReuse, makeMemo, type PlanMemo, recall } from "../memo.ts";
import {
  addResources,
  criticalPath,
  depthOf,
  excesses,
  fitsDevice,
  laneCost,
  NO_RESOURCES,
  type Plan,
} from "../plan.ts";
import { ACTIVATION_CYCLES, convLogic, denseLogic, reuseBram18, reuseDsp, streamedConvCycles } from "../reuse.ts";

interface Shape {
  readonly first: Operation;
  readonly legal: readonly number[];
  copies: number;
}

/** Plans a design of the resource strategy: all layers ask for one reuse factor, each takes the closest legal one above 1. */
export function planReuse(network: Network, device: FpgaDevice, memo: PlanMemo = makeMemo()): Plan {
  const products = network.operations.filter(({ geometry }) => geometry !== undefined);
  /** Layers of equal shape, which share a list of factors; and each product's. */
  const shapes = new Map<string, Shape>();
  const shapeOf = new Map<number, Shape>();
  for (const operation of products) {
    const { nIn, nOut, groups, kernel } = operation.geometry!;
    const shape = recall(shapes, `${nIn} ${nOut} ${kernel[0]} ${kernel[1]}`, () => ({
      first: operation,
      legal: knownReuse(memo, nIn, nOut),
      copies: 0,
    }));
    shape.copies += groups;
    shapeOf.set(operation.id, shape);
  }
  const legalOf = ({ id }: Operation): readonly number[] => shapeOf.get(id)!.legal;
  let others = NO_RESOURCES;
  for (const operation of network.operations)
    if (operation.geometry === undefined)
      others = addResources(others, laneCost(operation, device, operation.elements));
  const usedAt = (asked: number): FpgaResources => {
    let used = others;
    for (const { first, legal, copies } of shapes.values())
      used = addResources(used, layerCost(first, closest(legal, asked), device), copies);
    return used;
  };

  // Factors may repeat: the search among them does not mind.
  const lists = new Set([...shapes.values()].map(({ legal }) => legal));
  const factors = Float64Array.from([...lists].flat()).sort();
  let high = factors.length - 1;
  // Where the smallest design does not fit, there is nothing to search.
  let low = fitsDevice(usedAt(factors[high] ?? 1), device) ? 0 : high;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (fitsDevice(usedAt(factors[middle]!), device)) high = middle;
    else low = middle + 1;
  }
  const asked = factors[low] ?? 1;
  const resources = usedAt(asked);
  const over = excesses(resources, device);
  const finish = criticalPath(network, (operation) => {
    if (operation.geometry === undefined) return isActivation(operation) ? ACTIVATION_CYCLES.usual : depthOf(operation);
    return layerTime(operation, closest(legalOf(operation), asked)) + 2;
  });
  const busy = products.map((operation) => layerTime(operation, closest(legalOf(operation), asked)));
  return {
    finish,
    interval: Math.max(1, ...busy),
    resources,
    fits: over.length === 0,
    mapping: `reuse factor ${asked}`,
    warnings: [
      ...(over.length === 0 ? [] : [`does not fit: ${over.join(", ")}`]),
      ...(device.weightBits === 16 ? [] : ["resource fits are of 16-bit designs, scaled"]),
    ],
  };
}

/** Activations cost a module of their own; sums and scalings ride along. */
function isActivation({ op }: Operation): boolean {
  return (
    op === "Relu" ||
    op === "Tanh" ||
    op === "Sigmoid" ||
    op === "Sin" ||
    op === "Cos" ||
    op === "Softplus" ||
    op === "Erf"
  );
}

/** A dense layer takes RF cycles per vector, a convolution streams its padded input. */
function layerTime({ geometry }: Operation, rf: number): number {
  const { vectors, kernel, outSize } = geometry!;
  const taps = kernel[0] * kernel[1];
  if (taps === 1) return rf * vectors;
  return streamedConvCycles((outSize[0] + kernel[0] - 1) * (outSize[1] + kernel[1] - 1), rf);
}

function layerCost({ geometry }: Operation, rf: number, { weightBits }: FpgaDevice): Partial<FpgaResources> {
  const { nIn, nOut, kernel } = geometry!;
  const taps = kernel[0] * kernel[1];
  const logic = taps === 1 ? denseLogic(nIn, nOut, rf, weightBits) : convLogic(nIn / taps, nOut, taps, rf, weightBits);
  return { ...logic, dsp: reuseDsp(nIn, nOut, rf, weightBits), bram18: reuseBram18(nIn, nOut, rf, weightBits) };
}

/** The closest of ascending factors; the smaller of two equally close. */
function closest(factors: readonly number[], asked: number): number {
  let low = 0;
  let high = factors.length - 1;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (factors[middle]! < asked) low = middle + 1;
    else high = middle;
  }
  const above = factors[low] ?? 1;
  const below = factors[low - 1];
  return below !== undefined && asked - below <= Math.abs(above - asked) ? below : above;
}
