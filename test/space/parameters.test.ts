import { describe, expect, it } from "vitest";
import { graphBuilder } from "../../src/graph/index.ts";
import { makeRng } from "../../src/rng.ts";
import {
  carryWeights,
  compact,
  initialise,
  type Network,
  type ParameterLayout,
  randomArchitecture,
  supernet,
} from "../../src/space/index.ts";
import { sliceParameters } from "../../src/space/parameters.ts";
import { randomWeights, someArchitectures, spaces } from "./support.ts";

function networksOf(name: string): Network[] {
  const space = spaces[name]!;
  return [
    supernet(space),
    ...someArchitectures(space, 3, makeRng(20)).map((architecture) => compact(space, architecture)),
  ];
}

describe.each(Object.keys(spaces))("the weights of networks for %s", (name) => {
  it("tile one flat vector under distinct names", () => {
    for (const { layout } of networksOf(name)) {
      let at = 0;
      for (const { offset, size, shape } of layout.parameters) {
        expect(offset).toBe(at);
        expect(size).toBe(shape.reduce((a, c) => a * c, 1));
        at += size;
      }
      expect(at).toBe(layout.size);
      expect(new Set(layout.parameters.map((parameter) => parameter.name)).size).toBe(layout.parameters.length);
    }
  });

  it("name the candidate that owns them", () => {
    const space = spaces[name]!;
    const owned = supernet(space).layout.parameters.filter(({ owner }) => owner !== undefined);
    expect(owned.length).toBeGreaterThan(5);
    for (const { name: parameter, owner } of owned) {
      const slot = space.slots[owner!.slot]!;
      expect(parameter).toBe(`${slot.name}/${slot.candidates[owner!.candidate]!.name}`);
    }
  });

  it("are blocks of the supernet's in a compacted network", () => {
    const [whole, ...compacted] = networksOf(name);
    const byName = new Map(whole!.layout.parameters.map((parameter) => [parameter.name, parameter]));
    for (const { layout } of compacted)
      for (const { name: parameter, shape, size: count } of layout.parameters) {
        const { shape: donor, size: has } = byName.get(parameter)!;
        // A kernel of an image lies flat in the supernet.
        if (shape.length !== donor.length) {
          expect(count).toBe(has);
          continue;
        }
        shape.forEach((size, axis) => {
          expect(size).toBeLessThanOrEqual(donor[axis]!);
        });
      }
  });
});

describe("sliceParameters()", () => {
  it("cuts each tensor out of the flat vector, and knows no other name", () => {
    const { layout } = supernet(spaces["scalars"]!);
    const b = graphBuilder();
    const source = sliceParameters(b, b.input("flat", [layout.size]), layout);
    const [, second] = layout.parameters;
    const node = source({ name: second!.name, shape: second!.shape, spread: 0 });
    expect(b.shapeOf(node)).toEqual(second!.shape);
    const bare = b.node(node);
    const cut = bare.op === "Reshape" ? b.node(bare.x) : bare;
    expect(cut).toMatchObject({ op: "Slice", axis: 0, start: second!.offset, end: second!.offset + second!.size });
    expect(() => source({ name: "elsewhere", shape: [1], spread: 0 })).toThrow(
      "internal: the layout has no parameter elsewhere",
    );
  });
});

describe("initialise()", () => {
  it("gives each tensor its own stream: values depend on names, not on order", () => {
    const { layout } = supernet(spaces["several outputs"]!);
    let at = 0;
    const backwards = [...layout.parameters].reverse().map((parameter) => {
      const moved = { ...parameter, offset: at };
      at += parameter.size;
      return moved;
    });
    const rng = makeRng(21);
    const forward = initialise(layout, rng);
    const reversed = initialise({ parameters: backwards, size: layout.size }, rng);
    backwards.forEach((parameter, i) => {
      const original = layout.parameters.at(-1 - i)!;
      expect(reversed.slice(parameter.offset, parameter.offset + parameter.size)).toEqual(
        forward.slice(original.offset, original.offset + original.size),
      );
    });
  });

  it("starts each tensor with its spread", () => {
    const parameter = (name: string, offset: number, spread: number) => ({
      name,
      shape: [4000],
      offset,
      size: 4000,
      spread,
    });
    const layout: ParameterLayout = {
      parameters: [parameter("a", 0, 0.1), parameter("b", 4000, 2), parameter("c", 8000, 0)],
      size: 12000,
    };
    const flat = initialise(layout, makeRng(22));
    const spreadOf = (from: number): number =>
      Math.sqrt(flat.subarray(from, from + 4000).reduce((sum, value) => sum + value * value, 0) / 4000);
    // The standard error of a standard deviation of n normals is sigma / sqrt(2 n): 1.1 %.
    expect(Math.abs(spreadOf(0) / 0.1 - 1)).toBeLessThan(0.045);
    expect(Math.abs(spreadOf(4000) / 2 - 1)).toBeLessThan(0.045);
    expect(flat.subarray(8000).every((value) => value === 0)).toBe(true);
    expect(flat[0]! / 0.1).not.toBeCloseTo(flat[4000]! / 2, 3);
  });
});

describe("carryWeights()", () => {
  it("copies leading blocks, and leaves what the donor does not have", () => {
    const entry = (name: string, shape: readonly number[], offset: number) => ({
      name,
      shape,
      offset,
      size: shape.reduce((a, c) => a * c, 1),
      spread: 1,
    });
    const from = { parameters: [entry("w", [3, 4], 0), entry("k", [2, 2, 2], 12)], size: 20 };
    const to = { parameters: [entry("own", [2], 0), entry("k", [1, 2, 1], 2), entry("w", [2, 3], 4)], size: 10 };
    const source = Float32Array.from({ length: 20 }, (_, i) => i);
    const target = new Float32Array(10).fill(-1);
    expect(carryWeights(from, source, to, target)).toBe(target);
    expect([...target]).toEqual([-1, -1, 12, 14, 0, 1, 2, 4, 5, 6]);
  });

  it("fills a compacted network whole", () => {
    const space = spaces["several outputs"]!;
    const whole = supernet(space);
    const small = compact(space, randomArchitecture(space, makeRng(23)));
    const target = new Float32Array(small.layout.size).fill(Number.NaN);
    carryWeights(whole.layout, randomWeights(whole, makeRng(24)), small.layout, target);
    expect(target.some(Number.isNaN)).toBe(false);
  });

  it("refuses tensors with another number of axes", () => {
    const layout = (shape: readonly number[], size: number): ParameterLayout => ({
      parameters: [{ name: "w", shape, offset: 0, size, spread: 1 }],
      size,
    });
    const zeros = new Float32Array(4);
    expect(() => carryWeights(layout([3], 3), zeros, layout([2, 2], 4), zeros.slice())).toThrow(
      "internal: parameter w changed its number of axes",
    );
  });
});
