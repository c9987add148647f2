/** The binary back end: lanes in proportion to each layer's work, so that all phases are equally long (spec latency 4.6). */
import type { Network, Operation } from "../../network.ts";
import type { FpgaDevice } from "../../target.ts";
import { binaryCycles, binaryLuts, HAND_OVER } from "../binary.ts";
import { blocks18 } from "../memory.ts";
import { addResources, excesses, fitsDevice, NO_RESOURCES, type Plan } from "../plan.ts";

/** Bits that one unit reduces per cycle: xnor and count go in groups of six, a word is the usual choice. */
const WORD = 64;
/** LUTs of one lane of the first layer, which adds or subtracts fixed-point inputs. */
const FIRST_LAYER_LUTS = 18;

/** Plans a fully mapped binary design. The network's sums and activations become comparisons; the first layer reads fixed
 * point, the last one gives the affine value. */
export function planBinary(network: Network, device: FpgaDevice): Plan {
  const layers = network.operations.filter(({ geometry }) => geometry !== undefined);
  const work = layers.map(({ macs }) => macs);
  const largest = Math.max(1, ...work);
  const lanesAt = (cycles: number): number[] =>
    work.map((macs) => Math.min(macs, Math.max(1, Math.ceil(macs / cycles))));
  const usedAt = (cycles: number) => {
    const lanes = lanesAt(cycles);
    return layers.reduce((used, layer, i) => addResources(used, layerCost(layer, lanes[i]!, device)), NO_RESOURCES);
  };
  let low = 1;
  let high = largest;
  while (low < high) {
    const middle = Math.floor((low + high) / 2);
    if (fitsDevice(usedAt(middle), device)) high = middle;
    else low = middle + 1;
  }
  const lanes = lanesAt(low);
  const resources = usedAt(low);
  const over = excesses(resources, device);
  const phase =
    (1 + HAND_OVER) * Math.max(1, ...layers.map(({ macs }, i) => Math.ceil(binaryCycles(macs, 1, lanes[i]!, 1))));
  const depth: number[] = [];
  for (const operation of network.operations) {
    const before = Math.max(0, ...operation.inputs.map((input) => depth[input]!));
    depth.push(before + (operation.geometry === undefined ? 0 : 1));
  }
  return {
    finish: depth.map((phases) => phases * phase),
    interval: phase,
    resources,
    fits: over.length === 0,
    mapping: `binary, ${lanes.reduce((a, c) => a + c, 0)} lanes in ${layers.length} layers`,
    warnings: [
      "the network must be trained with binary weights and activations to run like this",
      ...(over.length === 0 ? [] : [`does not fit: ${over.join(", ")}`]),
    ],
  };
}

function layerCost(layer: Operation, lanes: number, device: FpgaDevice) {
  const { nIn, nOut, groups, vectors } = layer.geometry!;
  const unfold = Math.min(WORD, lanes, nIn);
  const units = Math.ceil(lanes / unfold);
  const isFirst = layer.readsInput;
  // Feature maps between phases are double-buffered; weights stand beside the lanes, or in blocks where they are deep.
  const depth = Math.ceil((nIn * nOut * groups) / lanes);
  const weights =
    depth <= 64 ? { lut: lanes * Math.ceil(depth / 64), bram18: 0 } : { lut: 0, bram18: blocks18(lanes, depth) };
  const values = nOut * groups * vectors;
  const logic = isFirst ? lanes * FIRST_LAYER_LUTS : binaryLuts(device.family, nIn, unfold, units);
  return {
    lut: logic + weights.lut,
    ff: 2 * logic + (values <= 256 ? 2 * values : 0),
    bram18: weights.bram18 + (values <= 256 ? 0 : 2 * blocks18(1, values)),
  };
}
