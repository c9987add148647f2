/** What every FPGA back end answers: a mapping of the network onto the device, in cycles and resources. */
import type { Op } from "../../graph/index.ts";
import type { Network, Operation } from "../network.ts";
import type { FpgaResources } from "../prediction.ts";
import type { FpgaDevice } from "../target.ts";
import type { PlanMemo } from "./memo.ts";
import { multiplierLuts } from "./multiplier.ts";

export interface Plan {
  /** Cycle at which each operation of the network is done, for one sample. */
  readonly finish: readonly number[];
  /** Cycles between samples of a stream. */
  readonly interval: number;
  readonly resources: FpgaResources;
  readonly fits: boolean;
  /** In a few words, such as `dataflow, 412 lanes`. */
  readonly mapping: string;
  readonly warnings: readonly string[];
}

/** A back end: network and device in, the fastest mapping it finds that fits, out. @param memo of this device */
export type Planner = (network: Network, device: FpgaDevice, memo?: PlanMemo) => Plan;

export const NO_RESOURCES: FpgaResources = { lut: 0, ff: 0, dsp: 0, bram18: 0, uram: 0 };

export function addResources(a: FpgaResources, b: Partial<FpgaResources>, copies = 1): FpgaResources {
  return {
    lut: a.lut + copies * (b.lut ?? 0),
    ff: a.ff + copies * (b.ff ?? 0),
    dsp: a.dsp + copies * (b.dsp ?? 0),
    bram18: a.bram18 + copies * (b.bram18 ?? 0),
    uram: a.uram + copies * (b.uram ?? 0),
  };
}

/** The resources that exceed their share of the device, such as `LUT 48200 of 37240`. Flip-flops share the LUTs' limit. */
export function excesses(used: FpgaResources, device: FpgaDevice): string[] {
  const { utilMax } = device;
  const rows = [
    ["LUT", used.lut, utilMax.lut * device.lut],
    ["FF", used.ff, utilMax.lut * device.ff],
    ["DSP", used.dsp, utilMax.dsp * device.dsp],
    ["BRAM18", used.bram18, utilMax.bram18 * device.bram18],
    ["URAM", used.uram, device.uram],
  ] as const;
  return rows
    .filter(([, has, may]) => has > may)
    .map(([name, has, may]) => `${name} ${Math.ceil(has)} of ${Math.floor(may + 1e-6)}`);
}

export function fitsDevice(used: FpgaResources, device: FpgaDevice): boolean {
  const { utilMax } = device;
  return (
    used.lut <= utilMax.lut * device.lut &&
    used.ff <= utilMax.lut * device.ff &&
    used.dsp <= utilMax.dsp * device.dsp &&
    used.bram18 <= utilMax.bram18 * device.bram18 &&
    used.uram <= device.uram
  );
}

const tableFunctions = new Set<Op>([
  "Exp",
  "Log",
  "Tanh",
  "Sigmoid",
  "Softplus",
  "Sin",
  "Cos",
  "Erf",
  "Sqrt",
  "Reciprocal",
]);

/** Whether an operation becomes a lookup table. */
export function isTable(op: Op): boolean {
  return tableFunctions.has(op);
}

/** Pipeline depth of an operation that is not a product: 0 for wiring, 1 for arithmetic, 4 for a table with interpolation,
 * 10 for division and powers, an adder tree for sums. */
export function depthOf(operation: Operation): number {
  const { op, kind } = operation;
  if (kind === "copy" || op === "Cast") return 0;
  if (kind === "reduce")
    return Math.max(1, Math.ceil(Math.log2(Math.max(2, operation.elementOps / operation.elements))));
  if (isTable(op)) return 4;
  return op === "Div" || op === "Pow" ? 10 : 1;
}

/** A multiplier by a constant takes about a third of the logic. */
const CONSTANT_SHARE = 3;

/** Resources of `lanes` copies of an operation that is not a product. A table is one block for two lanes. */
export function laneCost(
  operation: Operation,
  device: FpgaDevice,
  lanes: number,
  inDsp = device.dsp > 0,
): Partial<FpgaResources> {
  const { op, kind } = operation;
  const bits = device.activationBits;
  if (kind === "copy" || op === "Cast") return {};
  if (isTable(op)) return { lut: lanes * 2 * bits, ff: lanes * 2 * bits, bram18: Math.ceil(lanes / 2) };
  if (op === "Mul")
    return inDsp
      ? { lut: lanes * bits, ff: lanes * bits, dsp: lanes }
      : {
          lut: lanes * Math.ceil(multiplierLuts(device.family, bits) / (operation.hasWeights ? CONSTANT_SHARE : 1)),
          ff: lanes * 2 * bits,
        };
  if (op === "Div" || op === "Pow") return { lut: lanes * bits * bits, ff: lanes * 2 * bits * bits };
  return { lut: lanes * bits, ff: lanes * bits };
}

/** Resources of all operations that are not products, one lane each; their multiplications move into logic where they would
 * take more than a quarter of the DSP blocks. @param shared one lane per sort of operation, for engines that do one at a time */
export function otherCost(network: Network, device: FpgaDevice, shared = false): FpgaResources {
  const sorts = new Set<string>();
  const counted = network.operations.filter(({ geometry, op, hasWeights }) => {
    const sort = `${op} ${hasWeights}`;
    if (geometry || (shared && sorts.has(sort))) return false;
    sorts.add(sort);
    return true;
  });
  const sum = (inDsp: boolean): FpgaResources =>
    counted.reduce((used, operation) => addResources(used, laneCost(operation, device, 1, inDsp)), NO_RESOURCES);
  const used = sum(device.dsp > 0);
  return used.dsp > 0.25 * device.dsp ? sum(false) : used;
}

/** Earliest finish of every operation when each starts as soon as its inputs are there. */
export function criticalPath(network: Network, cycles: (operation: Operation) => number): number[] {
  const finish: number[] = [];
  for (const operation of network.operations) {
    let start = 0;
    for (const input of operation.inputs) start = Math.max(start, finish[input]!);
    finish.push(start + cycles(operation));
  }
  return finish;
}
