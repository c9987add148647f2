/** The dataflow back end: folds every layer so that a sample's latency is least among the settings that fit. */
import type { Network, Operation } from "../../network.ts";
import type { FpgaResources } from "../../prediction.ts";
import type { FpgaDevice } from "../../target.ts";
import {
  type Folding,
  matrixCycles,
  type MatrixUnit,
  matrixUnitCost,
  unitDepth,
  type UnitCost,
  windowCost,
  windowCycles,
} from "../dataflow.ts";
import { knownDivisors, makeMemo, type PlanMemo, recall } from "../memo.ts";
import { addResources, depthOf, excesses, fitsDevice, NO_RESOURCES, otherCost, type Plan } from "../plan.ts";

interface Unit {
  readonly operation: Operation;
  readonly shape: MatrixUnit;
  readonly copies: number;
  readonly pes: readonly number[];
  readonly simds: readonly number[];
  /** Positions in `pes` and `simds`. */
  pe: number;
  simd: number;
  cycles: number;
  cost: UnitCost;
  /** Cycles over lanes: what one more lane is worth. */
  gain: number;
  /** Costs of foldings that were tried, for this and for later networks. */
  readonly costs: Map<number, UnitCost>;
  /** No step up fits any more. */
  done: boolean;
}

/** Plans a dataflow design. The search raises PE or SIMD where the sample's latency falls most per lane, to the next legal
 * divisor, while the design fits. */
export function planDataflow(network: Network, device: FpgaDevice, memo: PlanMemo = makeMemo()): Plan {
  const units = network.operations.flatMap((operation) =>
    operation.geometry ? [makeUnit(operation, device, memo)] : [],
  );
  const unitOf = new Map(units.map((unit) => [unit.operation.id, unit]));
  let used = otherCost(network, device);
  for (const unit of units) used = addResources(used, unit.cost, unit.copies);
  const warnings = network.operations.some(({ kind }) => kind === "matmul")
    ? ["products of two varying matrices are not counted"]
    : [];
  if (fitsDevice(used, device)) used = raise(units, used, device);
  const finish = timeline(network, unitOf);
  const over = excesses(used, device);
  const lanes = units.reduce((sum, unit) => sum + unit.copies * foldingOf(unit).pe * foldingOf(unit).simd, 0);
  return {
    finish,
    interval: Math.max(1, ...units.map(({ cycles }) => cycles)),
    resources: used,
    fits: over.length === 0,
    mapping: `dataflow, ${lanes} lanes in ${units.length} units`,
    warnings: over.length === 0 ? warnings : [...warnings, `does not fit: ${over.join(", ")}`],
  };
}

function makeUnit(operation: Operation, device: FpgaDevice, memo: PlanMemo): Unit {
  const { nIn, nOut, vectors, groups, kernel, inC, inSize } = operation.geometry!;
  const unit: Unit = {
    operation,
    shape: { MW: nIn, MH: nOut, V: vectors },
    copies: groups,
    pes: knownDivisors(memo, nOut),
    simds: knownDivisors(memo, nIn),
    pe: 0,
    simd: 0,
    cycles: 0,
    cost: NO_RESOURCES,
    gain: 0,
    costs: recall(
      memo.units,
      `${nIn} ${nOut} ${kernel[0]} ${kernel[1]} ${inC / groups} ${inSize[1]}`,
      () => new Map<number, UnitCost>(),
    ),
    done: false,
  };
  unit.cycles = cyclesOf(unit);
  unit.gain = gainOf(unit);
  unit.cost = costOf(unit, device, device.dsp > 0);
  return unit;
}

function gainOf({ cycles, pes, simds, pe, simd, copies }: Unit): number {
  return cycles / (pes[pe]! * simds[simd]! * copies);
}

function foldingOf({ pes, simds, pe, simd }: Unit): Folding {
  return { pe: pes[pe]!, simd: simds[simd]! };
}

function cyclesOf(unit: Unit): number {
  const folding = foldingOf(unit);
  const matrix = matrixCycles(unit.shape, folding);
  return Math.max(matrix, windowTime(unit, folding));
}

/** Cycles of the window unit in front of a convolution; its lanes are those channels of SIMD that a pixel has. */
function windowTime({ operation }: Unit, { simd }: Folding): number {
  const { inC, inSize, outSize, kernel, stride, groups } = operation.geometry!;
  if (kernel[0] * kernel[1] === 1) return 0;
  const channels = inC / groups;
  const fold = Math.max(1, channels / Math.min(simd, channels));
  return windowCycles(fold, { Kh: kernel[0], Kw: kernel[1], Wi: inSize[1], Ho: outSize[0], Wo: outSize[1], S: stride });
}

function costOf(unit: Unit, device: FpgaDevice, inDsp: boolean): UnitCost {
  const place = 2 * (unit.pe * unit.simds.length + unit.simd) + (inDsp ? 1 : 0);
  return recall(unit.costs, place, () => foldingCost(unit, device, inDsp));
}

function foldingCost(unit: Unit, device: FpgaDevice, inDsp: boolean): UnitCost {
  const { geometry } = unit.operation;
  const { weightBits, activationBits, family } = device;
  const cost = matrixUnitCost(family, unit.shape, foldingOf(unit), { weightBits, activationBits, inDsp });
  const { kernel, inC, inSize, groups } = geometry!;
  if (kernel[0] * kernel[1] === 1) return cost;
  const window = windowCost(family, inC / groups, kernel[0], kernel[1], inSize[1], activationBits);
  return { lut: cost.lut + window.lut, ff: cost.ff + window.ff, dsp: cost.dsp, bram18: cost.bram18 + window.bram18 };
}

function raise(units: readonly Unit[], before: FpgaResources, device: FpgaDevice): FpgaResources {
  let used = before;
  for (;;) {
    let best: Unit | undefined;
    let bestGain = 0;
    for (const unit of units)
      if (!unit.done && unit.gain > bestGain) {
        best = unit;
        bestGain = unit.gain;
      }
    if (best === undefined) return used;
    used = step(best, used, device) ?? used;
  }
}

/** Raises a unit by one step if the design then still fits; otherwise it is done. */
function step(unit: Unit, used: FpgaResources, device: FpgaDevice): FpgaResources | undefined {
  const { pe, simd, cycles, cost } = unit;
  const canPe = pe + 1 < unit.pes.length;
  const canSimd = simd + 1 < unit.simds.length;
  const pePrice = canPe ? unit.pes[pe + 1]! / unit.pes[pe]! : Infinity;
  const simdPrice = canSimd ? unit.simds[simd + 1]! / unit.simds[simd]! : Infinity;
  const rest = addResources(used, cost, -unit.copies);
  if (canPe || canSimd) {
    // The smaller step; at equal steps the lanes of one dot product, whose adder tree is cheaper than accumulators.
    if (pePrice < simdPrice) unit.pe++;
    else unit.simd++;
    unit.cycles = cyclesOf(unit);
    for (const inDsp of device.dsp > 0 ? [true, false] : [false]) {
      const next = costOf(unit, device, inDsp);
      const total = addResources(rest, next, unit.copies);
      if (!fitsDevice(total, device)) continue;
      unit.cost = next;
      unit.gain = gainOf(unit);
      return total;
    }
  }
  Object.assign(unit, { pe, simd, cycles, done: true });
  return undefined;
}

/** When each operation has its last output. A dense layer waits for all its inputs; a convolution for its first window,
 * and then goes on at its own pace or the producer's. */
function timeline(network: Network, units: ReadonlyMap<number, Unit>): number[] {
  const first: number[] = [];
  const last: number[] = [];
  for (const operation of network.operations) {
    let begun = 0;
    let ended = 0;
    for (const input of operation.inputs) {
      begun = Math.max(begun, first[input]!);
      ended = Math.max(ended, last[input]!);
    }
    const unit = units.get(operation.id);
    if (unit === undefined) {
      const depth = depthOf(operation);
      first.push((operation.kind === "reduce" ? ended : begun) + depth);
      last.push(ended + depth);
      continue;
    }
    const { vectors, outSize, kernel, inSize } = operation.geometry!;
    const depth = unitDepth(foldingOf(unit).simd);
    const perVector = unit.cycles / vectors;
    const pixels = inSize[0] * inSize[1];
    if (outSize[0] * outSize[1] === 1 || pixels <= 1) {
      first.push(ended + (vectors > 1 ? perVector : unit.cycles) + depth);
      last.push(ended + unit.cycles + depth);
      continue;
    }
    const needed = Math.min(1, ((kernel[0] >> 1) * inSize[1] + (kernel[1] >> 1) + 1) / pixels);
    const start = begun + needed * (ended - begun);
    first.push(start + perVector + depth);
    last.push(Math.max(start + unit.cycles, ended + perVector) + depth);
  }
  return last;
}
