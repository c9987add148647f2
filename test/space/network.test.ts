import { describe, expect, it } from "vitest";
import { getEngine } from "../../src/engine/index.ts";
import { differentiate, graphBuilder, macsOf, simplify, sizeOf } from "../../src/graph/index.ts";
import { makeRng } from "../../src/rng.ts";
import {
  type Activation,
  activations,
  type Architecture,
  carryWeights,
  compact,
  encode,
  fillRates,
  type HeadRequest,
  initialise,
  macs,
  mixture,
  type Network,
  randomArchitecture,
  shapeTrace,
  superArchitecture,
  type SuperArchitecture,
  supernet,
  whole,
  widthOf,
} from "../../src/space/index.ts";
import { doublingMatrix } from "../../src/space/decoder.ts";
import { interpret } from "../support/interpret.ts";
import {
  bothWays,
  components,
  numbers,
  predict,
  randomWeights,
  relativeDifference,
  someArchitectures,
  spaces,
} from "./support.ts";

/** @param ends whether to leave coefficients as they are */
function graphOf(network: Network, ends = false): ReturnType<ReturnType<typeof graphBuilder>["build"]> {
  const b = graphBuilder();
  const gates = network.gateCount > 0 ? b.input("gates", [network.gateCount]) : undefined;
  const heads = network.forward(
    b,
    b.input("x", ["N", network.space.inputs]),
    b.input("flat", [network.layout.size]),
    gates,
  );
  const results = ends ? heads : whole(network, b, heads);
  return b.build(Object.fromEntries(results.map((head, i) => [`head${i}`, head])));
}

describe.each(Object.entries(spaces))("networks for %s", (name, space) => {
  it("of one architecture are the supernet with its gates (t1)", () => {
    const rng = makeRng(1).fork(name);
    const weights = randomWeights(supernet(space), rng.fork("weights"));
    for (const architecture of someArchitectures(space, 6, rng)) {
      const x = Array.from({ length: 4 }, () => rng.normal());
      const { open, compacted } = bothWays(space, architecture, weights, x);
      // Not to the last bit: 1 / sqrt(k) is a float32 constant in one, computed in the other.
      expect(relativeDifference(compacted, open)).toBeLessThan(1e-6);
    }
  });

  it("agree in the engine as well (t1)", async () => {
    const rng = makeRng(2).fork(name);
    const large = supernet(space);
    const weights = randomWeights(large, rng.fork("weights"));
    const [architecture] = someArchitectures(space, 1, rng) as [Architecture];
    const small = compact(space, architecture);
    const carried = carryWeights(large.layout, weights, small.layout, new Float32Array(small.layout.size));
    const x = Float32Array.from({ length: 6 }, () => rng.normal());
    const engine = getEngine("onnxruntime");
    const open = await engine.compile(graphOf(large));
    const compacted = await engine.compile(graphOf(small));
    const a = await open.run({ x, flat: weights, gates: encode(space, architecture) });
    const c = await compacted.run({ x, flat: carried });
    // float32 in another order of summation.
    for (const key of Object.keys(c))
      expect(relativeDifference([c[key] as Float32Array], [a[key] as Float32Array])).toBeLessThan(3e-6);
    expect(Object.keys(c)).toHaveLength(space.heads.length);
    await open.dispose();
    await compacted.dispose();
  });

  it("cost what their compacted graph counts (t2)", () => {
    const counts = someArchitectures(space, 10, makeRng(3).fork(name)).map((architecture) => {
      const counted = macsOf(simplify(graphOf(compact(space, architecture), true)), 1);
      expect(macs(space, architecture)).toBe(counted);
      return counted;
    });
    expect(new Set(counts).size).toBeGreaterThan(3);
  });

  it("ignore the weights of candidates that were not chosen", () => {
    const rng = makeRng(4).fork(name);
    const large = supernet(space);
    const weights = randomWeights(large, rng.fork("weights"));
    const [architecture] = someArchitectures(space, 1, rng) as [Architecture];
    const gates = encode(space, architecture);
    const x = [0.3, -0.8];
    const before = predict(large, weights, x, gates);
    const changed = weights.slice();
    let idle = 0;
    for (const { owner, offset, size } of large.layout.parameters)
      if (owner !== undefined && architecture[owner.slot] !== owner.candidate) {
        idle += size;
        for (let i = offset; i < offset + size; i++) changed[i] = 100 * rng.normal();
      }
    expect(idle).toBeGreaterThan(100);
    expect(predict(large, changed, x, gates)).toEqual(before);
  });

  it("use every weight of the compacted network", () => {
    const rng = makeRng(5).fork(name);
    const [architecture] = someArchitectures(space, 1, rng) as [Architecture];
    const network = compact(space, architecture);
    const rows = 3;
    const b = graphBuilder();
    const flat = b.input("flat", [network.layout.size]);
    const heads = network.forward(b, b.input("x", [rows, space.inputs]), flat);
    const loss = heads
      .map((head) =>
        b.reduceSum(
          b.square(head),
          b.shapeOf(head).map((_, i) => i),
        ),
      )
      .reduce((sum, part) => b.sum(sum, part));
    const [gradient] = differentiate(b, loss, [flat]) as [number];
    const x = Array.from({ length: rows * space.inputs }, () => rng.normal());
    const outputs = interpret(b.build({ gradient }), { x, flat: randomWeights(network, rng) });
    for (const { name: parameter, offset, size } of network.layout.parameters)
      expect(
        outputs["gradient"]!.subarray(offset, offset + size).some((value) => value !== 0),
        parameter,
      ).toBe(true);
  });

  it("have gradients in the gates that equal central differences", () => {
    const rng = makeRng(6).fork(name);
    const large = supernet(space);
    const weights = randomWeights(large, rng.fork("weights"));
    // Inside the simplex, zero unlikely: the node rule has a kink where one connection is left.
    const rows = space.slots.map((slot) => {
      const raw = slot.candidates.map((candidate) => (candidate.kind === "zero" ? 0.05 : 0.5 + rng.uniform()));
      const sum = raw.reduce((a, c) => a + c, 0);
      return raw.map((value) => value / sum);
    });
    const gates = Float64Array.from(mixture(space, rows));
    const x = [0.4, -0.7];
    const b = graphBuilder();
    const g = b.input("gates", [large.gateCount]);
    const heads = large.forward(b, b.input("x", [1, 2]), b.input("flat", [large.layout.size]), g);
    const loss = heads
      .map((head) =>
        b.reduceSum(
          b.square(head),
          b.shapeOf(head).map((_, i) => i),
        ),
      )
      .reduce((sum, part) => b.sum(sum, part));
    const forward = b.build({ loss });
    const [gradient] = differentiate(b, loss, [g]) as [number];
    const analytic = interpret(b.build({ gradient }), { x, flat: weights, gates })["gradient"]!;
    const lossAt = (at: Float64Array): number => interpret(forward, { x, flat: weights, gates: at })["loss"]![0]!;
    // Along random directions, which all gates take part in: each costs two forward passes.
    for (let k = 0; k < 3; k++) {
      const direction = Float64Array.from(gates, () => rng.normal());
      const along = direction.reduce((sum, value, i) => sum + value * analytic[i]!, 0);
      const size = direction.reduce((sum, value, i) => sum + Math.abs(value * analytic[i]!), 0);
      // Small, so that no ReLU changes sides within it; float64 bears it.
      const at = (step: number): number => lossAt(gates.map((gate, i) => gate + step * direction[i]!));
      const difference = (at(1e-7) - at(-1e-7)) / 2e-7;
      expect(size).toBeGreaterThan(0);
      expect(Math.abs(difference - along) / size, `direction ${k}`).toBeLessThan(1e-6);
    }
  });
});

/** Weights by name, zero where none is given. */
function named(network: Network, values: Readonly<Record<string, readonly number[]>>): Float32Array {
  const flat = new Float32Array(network.layout.size);
  for (const [name, numbers] of Object.entries(values)) {
    const parameter = network.layout.parameters.find((one) => one.name === name);
    if (parameter === undefined) throw new Error(`no parameter ${name}`);
    expect(numbers).toHaveLength(parameter.size);
    flat.set(numbers, parameter.offset);
  }
  return flat;
}

function choose(space: SuperArchitecture, names: Readonly<Record<string, string>>): Architecture {
  return space.slots.map((slot) => {
    const wanted = names[slot.name];
    return wanted === undefined ? 0 : slot.candidates.findIndex((candidate) => candidate.name === wanted);
  });
}

describe("fields of components", () => {
  const { count, basis, scales } = components;
  const size = basis.length / count;
  const space = spaces["a signal of components"]!;
  const fixed = { "trunk/0-1": "tanh", "trunk/0-2": "silu", "trunk/1-2": "tanh", "trunk/0-3": "sin" };
  const rng = makeRng(8);
  const x = Array.from({ length: 6 }, () => rng.normal());

  it.each(["linear", "dense"])("are what the %s decoder makes with weights times the basis", (decoder) => {
    const network = compact(space, choose(space, { ...fixed, "signal/decoder": decoder }));
    const direct = compact(numbers, choose(numbers, { ...fixed, "signal/decoder": decoder }));
    expect(network.ofComponents).toEqual([false, true]);
    expect(direct.ofComponents).toEqual([false, false]);
    const weights = randomWeights(network, rng);
    const expanded = new Float32Array(direct.layout.size);
    for (const parameter of direct.layout.parameters) {
      const own = network.layout.parameters.find(({ name }) => name === parameter.name)!;
      for (let i = 0; i < parameter.size; i++) {
        const [row, j] = [Math.floor(i / size), i % size];
        let value = weights[own.offset + i]!;
        if (own.size !== parameter.size) {
          value = 0;
          for (let k = 0; k < count; k++) value += weights[own.offset + row * count + k]! * basis[k * size + j]!;
        }
        expanded[parameter.offset + i] = value;
      }
    }
    expect(relativeDifference(predict(network, weights, x), predict(direct, expanded, x))).toBeLessThan(1e-6);
  });

  it("start with weights in the units of their coefficients, and move in them", () => {
    const network = compact(space, choose(space, { ...fixed, "signal/decoder": "dense" }));
    const last = network.layout.parameters.find(({ name }) => name === "signal/dense/weight")!;
    const start = initialise(network.layout, makeRng(9)).subarray(last.offset, last.offset + last.size);
    const spreads = Array.from({ length: count }, (_, k) =>
      Math.sqrt(start.reduce((sum, w, i) => sum + (i % count === k ? w * w : 0), 0) / (last.size / count)),
    );
    spreads.forEach((spread, k) => expect(spread / (last.spread * scales[k]!)).toBeCloseTo(1, 0));
    const rates = new Float32Array(network.layout.size);
    fillRates(rates, last, 0.5);
    expect(Array.from(rates.subarray(last.offset, last.offset + count))).toEqual(Array.from(scales, (s) => 0.5 * s));
    expect(rates.subarray(0, last.offset).every((rate) => rate === 0)).toBe(true);
  });
});

describe("the trunk", () => {
  const space = superArchitecture({
    inputs: 1,
    widths: [1],
    trunkNodes: 2,
    heads: [{ kind: "vector", name: "out", size: 1 }],
  });
  const common = { "trunk/stem/weight": [0.5], "trunk/stem/bias": [0.25], "out/out/weight": [1], "out/out/bias": [-1] };

  it("follows the node rule y_v = y_(v-1) + (operations + bias) / sqrt(k)", () => {
    const network = compact(space, choose(space, { "trunk/0-1": "tanh", "trunk/0-2": "identity", "trunk/1-2": "sin" }));
    const weights = named(network, {
      ...common,
      "trunk/0-1/tanh": [2],
      "trunk/1/bias": [0.125],
      "trunk/1-2/sin": [-1.5],
      "trunk/2/bias": [0.75],
      "out/trend/weight": [0.5],
    });
    const x = 1.5;
    const y0 = 0.5 * x + 0.25;
    const y1 = y0 + 2 * Math.tanh(y0) + 0.125;
    const y2 = y1 + (y0 - 1.5 * Math.sin(y1) + 0.75) / Math.SQRT2;
    expect(predict(network, weights, [x])[0]![0]).toBeCloseTo(y2 + 0.5 * x - 1, 6);
  });

  const functions: Readonly<Record<Activation, (y: number) => number>> = {
    tanh: Math.tanh,
    silu: (y) => y / (1 + Math.exp(-y)),
    relu: (y) => Math.max(0, y),
    sin: Math.sin,
  };

  it.each(activations)("computes %s as it is defined", (activation) => {
    const one = superArchitecture({
      inputs: 1,
      widths: [1],
      trunkNodes: 1,
      denseMenu: [{ kind: "dense", name: activation, activation }],
      heads: [{ kind: "vector", name: "out", size: 1 }],
    });
    const network = compact(one, [0, 0]);
    const weights = named(network, { ...common, [`trunk/0-1/${activation}`]: [3] });
    for (const x of [-2, 1]) {
      const y0 = 0.5 * x + 0.25;
      expect(predict(network, weights, [x])[0]![0]).toBeCloseTo(y0 + 3 * functions[activation](y0) - 1, 6);
    }
  });

  it("leaves a node out, with its bias, where zero is chosen on all connections into it", () => {
    const network = compact(space, choose(space, {}));
    expect(network.layout.parameters.map(({ name }) => name)).toEqual([
      "trunk/stem/weight",
      "trunk/stem/bias",
      "out/out/weight",
      "out/trend/weight",
      "out/out/bias",
    ]);
    expect(predict(network, named(network, common), [1.5])[0]![0]).toBeCloseTo(0.5 * 1.5 + 0.25 - 1, 6);
  });

  it("counts a connection of a mixture by one less the probability of zero, at least one in all", () => {
    const network = supernet(space);
    const weights = named(network, { ...common, "trunk/0-1/tanh": [2], "trunk/0-2/tanh": [3], "trunk/1-2/tanh": [4] });
    const row = (slot: string, zero: number, tanh: number): number[] =>
      space.slots
        .find(({ name }) => name === slot)!
        .candidates.map(({ name }) => (name === "zero" ? zero : name === "tanh" ? tanh : 0));
    const gates = mixture(space, [
      [1],
      row("trunk/0-1", 0.75, 0.25),
      row("trunk/0-2", 0.1, 0.9),
      row("trunk/1-2", 0.5, 0.5),
    ]);
    const y0 = 0.5 * 1.5 + 0.25;
    const y1 = y0 + 0.25 * 2 * Math.tanh(y0);
    const y2 = y1 + (0.9 * 3 * Math.tanh(y0) + 0.5 * 4 * Math.tanh(y1)) / Math.sqrt(0.9 + 0.5);
    expect(predict(network, weights, [1.5], gates)[0]![0]).toBeCloseTo(y2 - 1, 5);
  });

  it("keeps the connections of a menu that offers no zero", () => {
    const always = superArchitecture({
      inputs: 1,
      widths: [1],
      trunkNodes: 1,
      denseMenu: [{ kind: "dense", name: "tanh", activation: "tanh" }],
      heads: [{ kind: "vector", name: "out", size: 1 }],
    });
    const expected = 1 + 2 * Math.tanh(1) - 1;
    const weights = { ...common, "trunk/0-1/tanh": [2] };
    const small = compact(always, [0, 0]);
    expect(predict(small, named(small, weights), [1.5])[0]![0]).toBeCloseTo(expected, 6);
    const open = supernet(always);
    expect(predict(open, named(open, weights), [1.5], [1, 1])[0]![0]).toBeCloseTo(expected, 6);
  });
});

describe("the decoder", () => {
  it("applies a dilated convolution to the rectified node, and adds the trend", () => {
    const space = superArchitecture({
      inputs: 1,
      widths: [1],
      trunkNodes: 1,
      stageNodes: 1,
      channels: 1,
      heads: [{ kind: "decoder", name: "s", channels: 1, spatial: [5] }],
    });
    const network = compact(space, choose(space, { "s/decoder": "convolutional", "s/0/0-1": "conv3d2" }));
    const coarse = [1, -2, 3, 4, -5];
    const weights = named(network, {
      "s/stem1/bias": coarse,
      "s/0/0-1/conv3d2": [0.5, 1, -0.25],
      "s/0/1/bias": [0.125],
      "s/out/weight": [2],
      "s/trend/weight": [1, 2, 3, 4, 5],
      "s/trend/bias": [0, 0, 0, 0, 1],
    });
    const relu = coarse.map((value) => Math.max(0, value));
    const at = (i: number): number => relu[i] ?? 0;
    const x = 0.5;
    const expected = coarse.map((value, i) => {
      const node = value + 0.5 * at(i - 2) + at(i) - 0.25 * at(i + 2) + 0.125;
      return 2 * node + x * (i + 1) + (i === 4 ? 1 : 0);
    });
    const [field] = predict(network, weights, [x]);
    expect([...field!].map((value) => Number(value.toFixed(6)))).toEqual(expected);
  });

  it("doubles stage by stage and crops both ends alike", () => {
    // 33 needs two doublings of 9 to 36, of which 1 goes in front and 2 behind.
    const space = superArchitecture({
      inputs: 1,
      widths: [1],
      trunkNodes: 1,
      stageNodes: 1,
      channels: 1,
      heads: [{ kind: "decoder", name: "s", channels: 1, spatial: [33] }],
    });
    const network = compact(space, choose(space, { "s/decoder": "convolutional" }));
    const coarse = [4, 1, 3, 0, 5, 9, 2, 6, 7];
    const weights = named(network, {
      "s/stem1/bias": coarse,
      "s/1/up/weight": [0, 1, 0],
      "s/2/up/weight": [0, 1, 0],
      "s/out/weight": [1],
    });
    const double = (values: readonly number[]): number[] => {
      const matrix = doublingMatrix(values.length);
      const size = 2 * values.length;
      return Array.from({ length: size }, (_, c) => values.reduce((sum, v, r) => sum + v * matrix[r * size + c]!, 0));
    };
    const [field] = predict(network, weights, [0]);
    expect([...field!]).toEqual(double(double(coarse)).slice(1, 34));
  });

  it("doubles by linear interpolation with held edges", () => {
    // The half-pixel convention of PyTorch's interpolate(mode="linear", align_corners=False):
    // torch.nn.functional.interpolate(torch.tensor([[[1., 3., 2.]]]), scale_factor=2, mode="linear")
    const doubled = Array.from({ length: 6 }, (_, column) =>
      [1, 3, 2].reduce((sum, value, row) => sum + value * doublingMatrix(3)[row * 6 + column]!, 0),
    );
    expect(doubled).toEqual([1, 1.5, 2.5, 2.75, 2.25, 2]);
    expect([...doublingMatrix(1)]).toEqual([1, 1]);
  });
});

/** Output shapes asked for in spec 2.6, D1, with the default sizes of the super-architecture. */
const asked: readonly (readonly [string, HeadRequest, readonly number[]])[] = [
  ["1 scalar", { kind: "vector", name: "h", size: 1 }, [1]],
  ["15 scalars", { kind: "vector", name: "h", size: 15 }, [15]],
  ["a signal of 10", { kind: "decoder", name: "h", channels: 1, spatial: [10] }, [1, 10]],
  ["a signal of 250", { kind: "decoder", name: "h", channels: 1, spatial: [250] }, [1, 250]],
  ["a signal of 1000", { kind: "decoder", name: "h", channels: 1, spatial: [1000] }, [1, 1000]],
  ["an image 64 x 64", { kind: "decoder", name: "h", channels: 1, spatial: [64, 64] }, [1, 64, 64]],
  ["an image 96 x 192", { kind: "decoder", name: "h", channels: 1, spatial: [96, 192] }, [1, 96, 192]],
  ["4 images 64 x 64", { kind: "decoder", name: "h", channels: 4, spatial: [64, 64] }, [4, 64, 64]],
];

describe("output shapes (D1)", () => {
  it.each(asked)("are exact for %s", (_, head, shape) => {
    const space = superArchitecture({ inputs: 5, heads: [head] });
    const rng = makeRng(7);
    const [architecture] = someArchitectures(space, 1, rng) as [Architecture];
    for (const network of [
      supernet(space),
      compact(space, architecture),
      compact(space, randomArchitecture(space, rng)),
    ]) {
      const graph = graphOf(network);
      expect(graph.types[graph.outputs[0]!.node]!.shape).toEqual(["N", ...shape]);
    }
    expect(shapeTrace(space, architecture).at(-1)).toBe(`h [${shape.join(", ")}]`);
  });

  it.each(asked.slice(0, 4))("are what the engine computes for %s", async (_, head, shape) => {
    const space = superArchitecture({ inputs: 5, heads: [head], channels: 8 });
    const [architecture] = someArchitectures(space, 1, makeRng(8)) as [Architecture];
    const network = compact(space, architecture);
    const executable = await getEngine("onnxruntime").compile(graphOf(network));
    const { head0 } = await executable.run({ x: new Float32Array(15), flat: randomWeights(network, makeRng(9)) });
    expect(head0).toHaveLength(3 * sizeOf(shape));
    await executable.dispose();
  });

  it("follow odd and lopsided images", () => {
    for (const spatial of [
      [7, 33],
      [1, 100],
      [50, 3],
      [17, 17],
    ]) {
      const space = superArchitecture({
        inputs: 2,
        channels: 4,
        heads: [{ kind: "decoder", name: "h", channels: 1, spatial }],
      });
      const graph = graphOf(supernet(space));
      expect(graph.types[graph.outputs[0]!.node]!.shape).toEqual(["N", 1, ...spatial]);
    }
  });
});

describe("widthOf()", () => {
  it("is the trunk width that the architecture chose", () => {
    const space = spaces["scalars"]!;
    const zeros = space.slots.map(() => 0);
    expect(widthOf(space, zeros)).toBe(4);
    expect(widthOf(space, zeros.with(0, 1))).toBe(8);
  });
});
