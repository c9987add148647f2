import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { OptionError } from "../../src/errors.ts";
import { makeRng } from "../../src/rng.ts";
import {
  type Architecture,
  architectureId,
  canonical,
  checkArchitecture,
  compact,
  describeArchitecture,
  drawArchitecture,
  encode,
  encodedSize,
  isConvolutional,
  macs,
  mixture,
  neighbours,
  plainArchitecture,
  randomArchitecture,
  superArchitecture,
} from "../../src/space/index.ts";
import { predict, randomWeights, someArchitectures, spaces } from "./support.ts";

const space = spaces["several outputs"]!;
const small = superArchitecture({
  inputs: 2,
  widths: [4, 8, 16],
  trunkNodes: 2,
  heads: [{ kind: "vector", name: "scalars", size: 1 }],
});

/** Any legal architecture of `of`. */
function architectures(of = space): fc.Arbitrary<Architecture> {
  return fc.tuple(...of.slots.map((slot) => fc.nat(slot.candidates.length - 1)));
}

function distance(a: Architecture, c: Architecture): number {
  return a.filter((choice, i) => choice !== c[i]).length;
}

describe("the super-architecture", () => {
  it("has one slot per pair of nodes, a width, and a decoder per field", () => {
    // 1 width, 6 pairs of trunk nodes, and per field a decoder and 3 pairs in each of 2 stages.
    expect(space.slots).toHaveLength(1 + 6 + 2 * (1 + 2 * 3));
    expect(space.slots.map(({ name }) => name).slice(0, 8)).toEqual([
      "trunk/width",
      "trunk/0-1",
      "trunk/0-2",
      "trunk/1-2",
      "trunk/0-3",
      "trunk/1-3",
      "trunk/2-3",
      "channels/decoder",
    ]);
    expect(new Set(space.slots.map(({ name }) => name)).size).toBe(space.slots.length);
  });

  it("offers identity only where the previous node is not added anyway", () => {
    const joins = space.slots.filter(({ from }) => from >= 0);
    expect(joins.length).toBeGreaterThan(10);
    for (const { from, to, candidates } of joins)
      expect(candidates.some(({ kind }) => kind === "identity")).toBe(from < to - 1);
  });

  it("doubles up to four times towards the larger axis, and never falls short of the field", () => {
    // S = clamp(ceil(log2(L / 16)), 0, 4), spec 2.1.
    for (const [length, stages] of [
      [1, 1],
      [16, 1],
      [17, 2],
      [64, 3],
      [250, 5],
      [1000, 5],
      [4096, 5],
    ] as const) {
      const { heads } = superArchitecture({
        inputs: 1,
        heads: [{ kind: "decoder", name: "h", channels: 1, spatial: [length] }],
      });
      const [head] = heads;
      if (head?.kind !== "decoder") throw new Error("expected a decoder");
      expect(head.stages).toHaveLength(stages);
      const last = head.stages.at(-1)!.size[0]!;
      expect(last).toBeGreaterThanOrEqual(length);
      expect(last).toBeLessThan(length + 16);
    }
  });

  it("marks a slot with one candidate as fixed", () => {
    const one = superArchitecture({ inputs: 1, widths: [8], heads: [{ kind: "vector", name: "h", size: 1 }] });
    expect(one.slots.map(({ fixed }) => fixed)).toEqual([true, ...new Array<boolean>(6).fill(false)]);
  });
});

describe("randomArchitecture()", () => {
  it("is legal, and depends on the stream alone", () => {
    fc.assert(
      fc.property(fc.integer(), (seed) => {
        const drawn = randomArchitecture(space, makeRng(seed));
        checkArchitecture(space, drawn);
        expect(randomArchitecture(space, makeRng(seed))).toEqual(drawn);
      }),
    );
  });

  it("draws each candidate of a slot equally often", () => {
    const rng = makeRng(10);
    const draws = 6000;
    const counts = small.slots.map((slot) => slot.candidates.map(() => 0));
    for (let i = 0; i < draws; i++)
      randomArchitecture(small, rng).forEach((choice, s) => {
        counts[s]![choice]!++;
      });
    for (const row of counts) {
      const p = 1 / row.length;
      // Four standard errors of a binomial share.
      for (const count of row) expect(Math.abs(count / draws - p)).toBeLessThan(4 * Math.sqrt((p * (1 - p)) / draws));
    }
  });
});

describe("drawArchitecture()", () => {
  it("draws with the given probabilities", () => {
    const probabilities = [
      [0.7, 0.2, 0.1],
      [0, 1],
      [0.25, 0.25, 0.5],
    ];
    const rng = makeRng(11);
    const draws = 8000;
    const counts = probabilities.map((row) => row.map(() => 0));
    for (let i = 0; i < draws; i++)
      drawArchitecture(probabilities, rng).forEach((choice, s) => {
        counts[s]![choice]!++;
      });
    probabilities.forEach((row, s) => {
      row.forEach((p, o) => {
        const error = Math.abs(counts[s]![o]! / draws - p);
        expect(error).toBeLessThanOrEqual(4 * Math.sqrt((p * (1 - p)) / draws));
      });
    });
  });
});

describe("encode()", () => {
  it("is one one-hot row per slot", () => {
    fc.assert(
      fc.property(architectures(), (architecture) => {
        const code = encode(space, architecture);
        expect(code).toHaveLength(encodedSize(space));
        let at = 0;
        space.slots.forEach(({ candidates }, i) => {
          const row = [...code.subarray(at, at + candidates.length)];
          expect(row).toEqual(candidates.map((_, o) => (o === architecture[i] ? 1 : 0)));
          at += candidates.length;
        });
        expect(at).toBe(code.length);
      }),
    );
  });

  it("is the mixture of one-hot rows", () => {
    const architecture = randomArchitecture(space, makeRng(12));
    const rows = space.slots.map((slot, i) => slot.candidates.map((_, o) => Number(o === architecture[i])));
    expect(mixture(space, rows)).toEqual(encode(space, architecture));
  });
});

describe("neighbours()", () => {
  it("are all architectures with one other choice, each once", () => {
    fc.assert(
      fc.property(architectures(small), (architecture) => {
        const found = neighbours(small, architecture);
        // Size of the neighbourhood without its centre, spec 9.2: sum over slots of n - 1.
        expect(found).toHaveLength(encodedSize(small) - small.slots.length);
        expect(new Set(found.map(architectureId)).size).toBe(found.length);
        for (const neighbour of found) {
          checkArchitecture(small, neighbour);
          expect(distance(neighbour, architecture)).toBe(1);
        }
      }),
      { numRuns: 20 },
    );
  });

  it("at distance two add all pairs of slots", () => {
    const architecture = randomArchitecture(small, makeRng(13));
    const found = neighbours(small, architecture, 2);
    const others = small.slots.map(({ candidates }) => candidates.length - 1);
    const singles = others.reduce((a, c) => a + c, 0);
    const pairs = (singles ** 2 - others.reduce((a, c) => a + c * c, 0)) / 2;
    expect(found).toHaveLength(singles + pairs);
    expect(new Set(found.map(architectureId)).size).toBe(found.length);
    expect(found.filter((one) => distance(one, architecture) === 2)).toHaveLength(pairs);
  });
});

describe("canonical()", () => {
  it("joins architectures of the same network under one id, and changes no result", () => {
    const rng = makeRng(14);
    const heads = space.heads.flatMap((head) => (head.kind === "decoder" ? [head] : []));
    let changed = 0;
    for (const architecture of someArchitectures(space, 8, rng)) {
      const short = canonical(space, architecture);
      expect(canonical(space, short)).toEqual(short);
      expect(macs(space, short)).toBe(macs(space, architecture));
      const [before, after] = [compact(space, architecture), compact(space, short)];
      expect(after.layout).toEqual(before.layout);
      const weights = randomWeights(before, rng.fork("weights"));
      expect(predict(after, weights, [0.5, -0.5])).toEqual(predict(before, weights, [0.5, -0.5]));
      if (architectureId(short) !== architectureId(architecture)) changed++;
      if (heads.every((head) => isConvolutional(space, architecture, head.decoderSlot)))
        expect(short).toEqual(architecture);
    }
    expect(changed).toBeGreaterThan(0);
  });

  it("settles the stages of the linear field, and nothing else", () => {
    const all = space.slots.map(({ candidates }) => candidates.length - 1);
    const decoder = space.slots.findIndex(({ name }) => name === "channels/decoder");
    const expected = space.slots.map(({ stage }, i) =>
      i === decoder || stage.startsWith("channels/") ? 0 : (all[i] ?? -1),
    );
    expect(expected.filter((choice) => choice === 0)).toHaveLength(1 + 2 * 3);
    expect(canonical(space, all.with(decoder, 0))).toEqual(expected);
  });

  it("keeps every choice that matters", () => {
    const convolutional = someArchitectures(space, 1, makeRng(15))[0]!;
    const network = (architecture: Architecture): string => JSON.stringify(compact(space, architecture).layout);
    for (const neighbour of neighbours(space, convolutional)) {
      const same = canonical(space, neighbour).join() === canonical(space, convolutional).join();
      expect(same).toBe(false);
      // Identity and zero have no weights, but they are other networks.
      if (macs(space, neighbour) !== macs(space, convolutional))
        expect(network(neighbour)).not.toBe(network(convolutional));
    }
  });
});

describe("plainArchitecture()", () => {
  it("is a chain of conv3 in every stage of every field, and leaves the trunk as it was", () => {
    const base = randomArchitecture(space, makeRng(3));
    const plain = plainArchitecture(space, base)!;
    checkArchitecture(space, plain);
    space.slots.forEach((slot, i) => {
      const { name } = slot.candidates[plain[i]!]!;
      if (slot.stage === "trunk") expect(plain[i]).toBe(base[i]);
      else if (slot.from < 0) expect(name).toBe("convolutional");
      else expect(name).toBe(slot.from === slot.to - 1 ? "conv3" : "zero");
    });
    expect(space.slots.filter(({ stage, from }) => stage !== "trunk" && from >= 0).length).toBeGreaterThan(6);
  });

  it("does not exist where nothing is made by convolutions", () => {
    expect(plainArchitecture(small, randomArchitecture(small, makeRng(3)))).toBeUndefined();
  });
});

describe("describeArchitecture()", () => {
  it("names the live choices and leaves out removed connections", () => {
    const zeros = small.slots.map(() => 0);
    expect(describeArchitecture(small, zeros)).toBe("trunk/width 4");
    const tanh = small.slots[1]!.candidates.findIndex(({ name }) => name === "tanh");
    expect(describeArchitecture(small, zeros.with(0, 2).with(1, tanh))).toBe("trunk/width 16, trunk/0-1 tanh");
  });

  it("says nothing of the stages of a field that is made by a linear map", () => {
    const signal = spaces["a signal"]!;
    const all = signal.slots.map(({ candidates }) => candidates.length - 1);
    const decoder = signal.slots.findIndex(({ name }) => name === "signal/decoder");
    const text = describeArchitecture(signal, all.with(decoder, 0));
    expect(text).toContain("signal/decoder linear");
    expect(text).not.toContain("signal/0");
    expect(describeArchitecture(signal, all)).toContain("signal/0/0-1 conv3d2");
  });
});

describe("checkArchitecture()", () => {
  const legal = small.slots.map(() => 0);

  it("refuses another number of choices", () => {
    expect(() => {
      checkArchitecture(small, legal.slice(1));
    }).toThrow("architecture 0.0.0 has 3 choices, the super-architecture 4 slots.");
  });

  it.each([99, -1, 0.5])("refuses candidate %d, naming the slot", (choice) => {
    const check = (): void => {
      checkArchitecture(small, legal.with(2, choice));
    };
    expect(check).toThrow(OptionError);
    expect(check).toThrow(`slot trunk/0-2 has no candidate ${choice}.`);
  });

  it("guards compact()", () => {
    expect(() => compact(small, legal.with(0, 3))).toThrow("slot trunk/width has no candidate 3.");
  });
});
