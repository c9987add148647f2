/**
 * The tiled back end: one engine shared by all layers, or an engine per layer, pipelined (FNAS); whichever is faster among
 * the tiles that fit (spec latency 4.3).
 */
import type { Network, Operation } from "../../network.ts";
import type { FpgaResources } from "../../prediction.ts";
import type { FpgaDevice } from "../../target.ts";
import { makeMemo, type PlanMemo, recall } from "../memo.ts";
import { dspPerMultiplier, multiplierLuts } from "../multiplier.ts";
import { addResources, depthOf, excesses, fitsDevice, otherCost, type Plan } from "../plan.ts";
import { busyCycles, type PipelineLayer, pipelineLayer, simulatePipeline } from "../tile-pipeline.ts";
import {
  fitTile,
  layerComputeCycles,
  layerCycles,
  PIPELINE_FILL,
  taskCycles,
  type Tile,
  tileBuffers,
  tileCounts,
  tiledLayer,
  tiledMemory,
  type TiledLayer,
} from "../tiled.ts";

/** Above this many tile tasks an engine per layer is not simulated. */
const MOST_TASKS = 20_000;
/** LUTs and flip-flops of an engine's control, and per lane beside its multiplier: adder and registers. Estimates. */
const ENGINE = { lut: 400, ff: 500 };
const LANE = { lut: 24, ff: 48 };

interface Shape {
  readonly layer: TiledLayer;
  count: number;
}

/** A setting of the shared engine. */
interface Candidate {
  readonly tile: Tile;
  readonly resident: boolean;
  readonly used: FpgaResources;
  readonly cycles: number;
  readonly fits: boolean;
}

/** Plans both kinds and takes the faster of those that fit. */
export function planTiled(network: Network, device: FpgaDevice, memo?: PlanMemo): Plan {
  return planTiledUnder(network, device, Number.POSITIVE_INFINITY, memo) as Plan;
}

/** The same, if it can be faster than a known plan. @param under cycles to beat */
export function planTiledUnder(
  network: Network,
  device: FpgaDevice,
  under: number,
  memo: PlanMemo = makeMemo(),
): Plan | undefined {
  const shared = planShared(network, device, under);
  if (shared === undefined) return undefined;
  const pipelined = planPipelined(network, device, shared.fits ? Math.max(0, ...shared.finish) : under, memo);
  if (pipelined === undefined || (shared.fits && !pipelined.fits)) return shared;
  const end = (plan: Plan): number => Math.max(0, ...plan.finish);
  return (pipelined.fits && !shared.fits) || end(pipelined) < end(shared) ? pipelined : shared;
}

function lanesCost(lanes: number, device: FpgaDevice): Partial<FpgaResources> {
  const bits = Math.max(device.weightBits, device.activationBits);
  const inLogic = device.dsp === 0;
  return {
    lut: ENGINE.lut + lanes * (LANE.lut + (inLogic ? multiplierLuts(device.family, bits) : 0)),
    ff: ENGINE.ff + lanes * LANE.ff,
    dsp: inLogic ? 0 : Math.ceil(lanes * dspPerMultiplier(device.family, bits)),
  };
}

/** How many multipliers the device has room for. */
function mostLanes(device: FpgaDevice): number {
  const bits = Math.max(device.weightBits, device.activationBits);
  if (device.dsp > 0)
    return Math.max(1, Math.floor((device.utilMax.dsp * device.dsp) / dspPerMultiplier(device.family, bits)));
  return Math.max(
    1,
    Math.floor((device.utilMax.lut * device.lut - ENGINE.lut) / (LANE.lut + multiplierLuts(device.family, bits))),
  );
}

/** Tile sides worth trying: powers of two and the three halves between them, and the side that leaves no rest. */
function sides(most: number, largest: number): number[] {
  const found = new Set<number>();
  for (let n = 1; n <= Math.min(most, largest); n *= 2) {
    found.add(n);
    if (n > 1 && 1.5 * n <= Math.min(most, largest)) found.add(1.5 * n);
  }
  for (let parts = 1; parts <= 4; parts++)
    if (Math.ceil(largest / parts) <= most) found.add(Math.ceil(largest / parts));
  return [...found].sort((a, b) => a - b);
}

function planShared(network: Network, device: FpgaDevice, under: number): Plan | undefined {
  const products = network.operations.filter(({ geometry }) => geometry !== undefined);
  const layers = new Map(products.map((operation) => [operation.id, tiledLayer(operation.geometry!)]));
  const shapes = distinct([...layers.values()]);
  const bits = Math.max(device.weightBits, device.activationBits);
  const lanes = mostLanes(device);
  const others = otherCost(network, device, true);
  const room = fitsDevice(others, device);

  const work = shapes.reduce(
    (sum, { layer: { M, N, R, C, Kh, Kw, groups }, count }) => sum + count * groups * M * N * R * C * Kh * Kw,
    0,
  );
  const fewestTasks = shapes.reduce((sum, { count, layer }) => sum + count * layer.groups * (PIPELINE_FILL + 1), 0);
  if (Math.max(work / lanes, fewestTasks) >= under) return undefined;
  let best: Candidate | undefined;
  // By cycles with weights on chip: streaming them never makes it faster, so what comes later cannot win.
  for (const { tile, least } of rankedTiles(shapes, lanes, under)) {
    if (best?.fits && least >= best.cycles) break;
    for (const resident of [true, false]) {
      const cycles = resident
        ? least
        : shapes.reduce((sum, { layer, count }) => sum + count * timeOf(layer, tile, false, device, bits), 0);
      if (cycles >= under || (best?.fits && cycles >= best.cycles)) continue;
      const memory = memoryOf(shapes, tile, resident, device, bits);
      const used = addResources(addResources(others, lanesCost(tile.Tm * tile.Tn, device)), memory);
      const fits = room && fitsDevice(used, device);
      if (best === undefined || (fits && !best.fits) || (fits === best.fits && cycles < best.cycles))
        best = { tile, resident, used, cycles, fits };
    }
  }
  if (best === undefined) return undefined;
  const { tile, resident, used } = best;
  // The engine does one thing at a time.
  let now = 0;
  const finish = network.operations.map((operation) => {
    const layer = layers.get(operation.id);
    now += layer === undefined ? passCycles(operation, network, tile.Tm) : timeOf(layer, tile, resident, device, bits);
    return now;
  });
  return {
    finish,
    interval: Math.max(1, now),
    resources: used,
    fits: best.fits,
    mapping: `one engine <${tile.Tm}, ${tile.Tn}> over tiles of ${tile.Tr} x ${tile.Tc}, weights ${resident ? "on chip" : "streamed"}`,
    warnings: best.fits ? [] : [`does not fit: ${excesses(used, device).join(", ")}`],
  };
}

/** Tiles worth trying with the cycles they take when all weights are on chip, those below `under`, fastest first. */
function rankedTiles(
  shapes: readonly Shape[],
  lanes: number,
  under: number,
): { readonly tile: Tile; readonly least: number }[] {
  const largest = (part: (layer: TiledLayer) => number): number =>
    Math.max(1, ...shapes.map(({ layer }) => part(layer)));
  const [M, N] = [largest((layer) => layer.M), largest((layer) => layer.N)];
  const channels = sides(lanes, M).map((Tm) => ({ Tm, Tns: sides(Math.floor(lanes / Tm), N) }));
  const found: { readonly tile: Tile; readonly least: number }[] = [];
  for (const [Tr, Tc] of spatialTiles(
    largest((layer) => layer.R),
    largest((layer) => layer.C),
  )) {
    // Per shape, the cycles of all spatial tiles of one pair of channel tiles.
    const perPair = shapes.map(({ layer, count }) => {
      const cut = fitTile(layer, { Tm: 1, Tn: 1, Tr, Tc });
      return count * tileCounts(layer, cut).X * taskCycles(layer, cut);
    });
    for (const { Tm, Tns } of channels)
      for (const Tn of Tns) {
        let least = 0;
        for (let i = 0; i < shapes.length; i++) {
          const { layer } = shapes[i]!;
          least += perPair[i]! * Math.ceil(layer.M / Tm) * Math.ceil(layer.N / Tn);
        }
        if (least < under) found.push({ tile: { Tm, Tn, Tr, Tc }, least });
      }
  }
  return found.sort((a, b) => a.least - b.least);
}

function timeOf(layer: TiledLayer, tile: Tile, resident: boolean, device: FpgaDevice, bits: number): number {
  const cut = fitTile(layer, tile);
  return resident ? layerComputeCycles(layer, cut) : layerCycles(layer, cut, bits, device.extBwBytesPerCycle).cycles;
}

/** An operation behind a product rides on its store; another takes a pass of Tm values a cycle. */
function passCycles(operation: Operation, network: Network, Tm: number): number {
  const depth = depthOf(operation);
  if (depth === 0) return 0;
  const producer = operation.inputs.length === 1 ? network.operations[operation.inputs[0]!] : undefined;
  return producer?.geometry === undefined ? Math.ceil(operation.elements / Tm) + depth : depth;
}

/** Engine memory for the largest layer; with weights on chip, banks deep enough for all layers. */
function memoryOf(
  shapes: readonly Shape[],
  tile: Tile,
  resident: boolean,
  device: FpgaDevice,
  bits: number,
): Partial<FpgaResources> {
  let words = 0;
  let widest = shapes[0]?.layer;
  let most = 0;
  for (const { layer, count } of shapes) {
    const cut = fitTile(layer, tile);
    const { O, H } = tileCounts(layer, cut);
    words += count * O * H * layer.groups * layer.Kh * layer.Kw;
    const { input, output } = tileBuffers(layer, cut);
    if (input + output > most) {
      most = input + output;
      widest = layer;
    }
  }
  if (widest === undefined) return {};
  const cut = { ...fitTile(widest, tile), Tm: tile.Tm, Tn: tile.Tn };
  return tiledMemory(widest, cut, device, bits, resident ? words : undefined);
}

function spatialTiles(R: number, C: number): (readonly [number, number])[] {
  const found: (readonly [number, number])[] = [[R, C]];
  for (let edge = 64; edge >= 8; edge /= 2)
    if (R * C > edge * edge || C > edge) found.push([Math.min(R, edge), Math.min(C, edge)]);
  return found.slice(0, 3);
}

function distinct(layers: readonly TiledLayer[]): Shape[] {
  const shapes = new Map<string, Shape>();
  for (const layer of layers) {
    const key = Object.values(layer).join();
    const known = shapes.get(key);
    if (known) known.count++;
    else shapes.set(key, { layer, count: 1 });
  }
  return [...shapes.values()];
}

/** An engine per layer, weights on chip. Undefined where there are more layers than multipliers or too many tasks. */
function planPipelined(network: Network, device: FpgaDevice, under: number, memo: PlanMemo): Plan | undefined {
  const products = network.operations.filter(({ geometry }) => geometry !== undefined);
  const lanes = mostLanes(device);
  if (products.length === 0 || products.length > lanes) return undefined;
  const layers = splitLanes(
    products.map(({ geometry }) => tiledLayer(geometry!)),
    lanes,
    memo,
  );
  const bits = Math.max(device.weightBits, device.activationBits);
  const tasks = layers.reduce((sum, { layer, tile }) => {
    const { O, H, X } = tileCounts(layer, tile);
    return sum + O * H * X;
  }, 0);
  if (tasks > MOST_TASKS || Math.max(...layers.map((layer) => busyCycles(layer))) >= under) return undefined;
  const sources = productSources(network);
  const place = new Map(products.map(({ id }, i) => [id, i]));
  const chain = layers.map((each, i): PipelineLayer => ({
    ...each,
    from: sources[products[i]!.id]!.map((id) => place.get(id)!),
  }));
  let used = otherCost(network, device);
  for (const { layer, tile } of chain) {
    const { O, H } = tileCounts(layer, tile);
    used = addResources(used, lanesCost(tile.Tm * tile.Tn, device));
    used = addResources(used, tiledMemory(layer, tile, device, bits, O * H * layer.groups * layer.Kh * layer.Kw));
  }
  const over = excesses(used, device);
  const run = simulatePipeline(chain);
  // Between the engines, every operation adds its depth.
  const late: number[] = [];
  const finish: number[] = [];
  for (const operation of network.operations) {
    const before = Math.max(0, ...operation.inputs.map((input) => late[input]!));
    const at = place.get(operation.id);
    late.push(before + (at === undefined ? depthOf(operation) : 0));
    const done = Math.max(0, ...operation.inputs.map((input) => finish[input]! - late[input]!));
    finish.push((at === undefined ? done : run.finish[at]!) + late.at(-1)!);
  }
  return {
    finish,
    interval: Math.max(1, run.interval),
    resources: used,
    fits: over.length === 0,
    mapping: `${chain.length} engines in a pipeline, ${chain.reduce((sum, { tile }) => sum + tile.Tm * tile.Tn, 0)} multipliers`,
    warnings: over.length === 0 ? [] : [`does not fit: ${over.join(", ")}`],
  };
}

/** Products that each operation's value comes from, looking through everything else. */
function productSources(network: Network): (readonly number[])[] {
  const made: (readonly number[])[] = [];
  const read: (readonly number[])[] = [];
  for (const operation of network.operations) {
    const from = [...new Set(operation.inputs.flatMap((input) => made[input]!))];
    read.push(from);
    made.push(operation.geometry === undefined ? from : [operation.id]);
  }
  return read;
}

/** Shares the multipliers so that the busiest engine is as fast as can be: the slowest one gets the next larger tile. */
export function splitLanes(layers: readonly TiledLayer[], lanes: number, memo: PlanMemo = makeMemo()): PipelineLayer[] {
  const engines = layers.map((layer) => {
    const known = recall(memo.engines, Object.values(layer).join(), () => new Map<number, PipelineLayer>());
    const engineOf = (share: number): PipelineLayer => recall(known, share, () => bestTile(layer, share));
    const engine = engineOf(1);
    return { engineOf, used: 1, done: false, engine, busy: busyCycles(engine) };
  });
  let left = lanes - engines.length;
  for (;;) {
    let slowest: (typeof engines)[number] | undefined;
    for (const each of engines) if (!each.done && (slowest === undefined || each.busy > slowest.busy)) slowest = each;
    if (slowest === undefined) return engines.map(({ engine }) => engine);
    const most = slowest.used + left;
    let next: PipelineLayer | undefined;
    for (
      let share = Math.min(most, 2 * slowest.used);
      share <= most && share > slowest.used;
      share = Math.min(most, 2 * share)
    ) {
      const tried = slowest.engineOf(share);
      if (busyCycles(tried) < slowest.busy) next = tried;
      if (next !== undefined || share === most) break;
    }
    if (next === undefined) {
      slowest.done = true;
      continue;
    }
    const used = next.tile.Tm * next.tile.Tn;
    left -= used - slowest.used;
    slowest.used = used;
    slowest.engine = next;
    slowest.busy = busyCycles(next);
  }
}

/** The tile of at most `lanes` multipliers with the fewest tasks, and of these the fewest multipliers. */
function bestTile(layer: TiledLayer, lanes: number): PipelineLayer {
  let best = { Tm: 1, Tn: 1, tasks: Infinity };
  for (let Tm = 1; Tm <= Math.min(layer.M, lanes); Tm++) {
    const O = Math.ceil(layer.M / Tm);
    if (Tm > 1 && Math.ceil(layer.M / (Tm - 1)) === O) continue;
    const H = Math.ceil(layer.N / Math.min(layer.N, Math.floor(lanes / Tm)));
    const Tn = Math.ceil(layer.N / H);
    const tasks = O * H;
    if (tasks < best.tasks || (tasks === best.tasks && Tm * Tn < best.Tm * best.Tn)) best = { Tm, Tn, tasks };
  }
  return pipelineLayer(layer, { Tm: best.Tm, Tn: best.Tn, Tr: layer.R, Tc: layer.C });
}
