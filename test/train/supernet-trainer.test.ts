import { describe, expect, it } from "vitest";
import { makeRng } from "../../src/rng.ts";
import { encode, mixture, randomArchitecture } from "../../src/space/index.ts";
import { getEngine } from "../../src/engine/index.ts";
import { supernet } from "../../src/space/index.ts";
import { type SupernetState, supernetTrainer } from "../../src/train/index.ts";
import { predict } from "../space/support.ts";
import { realTrainer, rowRange, space, toyData } from "../search/support.ts";

const architecture = randomArchitecture(space, makeRng(90)).with(0, 0);
const gates = encode(space, architecture);

function differs(a: Float32Array, c: Float32Array, from: number, size: number): number {
  let count = 0;
  for (let i = from; i < from + size; i++) if (!Object.is(a[i], c[i])) count++;
  return count;
}

describe("supernetTrainer()", () => {
  it("touches neither weights nor moments of candidates that were not drawn (D4)", async () => {
    const trainer = await realTrainer();
    // All candidates have moments of their own by then.
    const rng = makeRng(91);
    await trainer.train(
      Array.from({ length: 60 }, () => encode(space, randomArchitecture(space, rng))),
      1e-2,
    );
    const before = trainer.state();
    await trainer.train([gates], 1e-2);
    const after = trainer.state();
    let idle = 0;
    let drawn = 0;
    for (const { name, owner, offset, size } of trainer.network.layout.parameters) {
      const used = owner === undefined || architecture[owner.slot] === owner.candidate;
      if (used) drawn += differs(before.params, after.params, offset, size);
      else {
        idle += size;
        for (const key of ["params", "first", "second"] as const) {
          expect(differs(before[key], after[key], offset, size), `${key} of ${name}`).toBe(0);
          expect(before[key].subarray(offset, offset + size).some((value) => value !== 0)).toBe(true);
        }
      }
    }
    expect(idle).toBeGreaterThan(100);
    expect(drawn).toBeGreaterThan(20);
    await trainer.dispose();
  });

  it("takes a candidate's first step as long as any first step of Adam, however late it is drawn", async () => {
    const trainer = await realTrainer();
    const slot = space.slots.findIndex(
      ({ candidates }) => candidates.filter(({ kind }) => kind === "dense").length > 1,
    );
    const [early, late] = [...(space.slots[slot]?.candidates ?? []).entries()].flatMap(([o, { kind }]) =>
      kind === "dense" ? [o] : [],
    ) as [number, number];
    await trainer.train(new Array<Float32Array>(60).fill(encode(space, architecture.with(slot, early))), 1e-3);
    const before = trainer.state().params;
    await trainer.train([encode(space, architecture.with(slot, late))], 1e-3);
    const after = trainer.state().params;
    const { owner, offset, size } = trainer.network.layout.parameters.find(
      (parameter) => parameter.owner?.slot === slot && parameter.owner.candidate === late,
    )!;
    expect(owner).toBeDefined();
    let longest = 0;
    for (let i = offset; i < offset + size; i++) longest = Math.max(longest, Math.abs(after[i]! - before[i]!));
    // (1 - 0.9) / sqrt(1 - 0.999) = 3.2 times as long without a correction of its own.
    expect(longest).toBeGreaterThan(0.99e-3);
    expect(longest).toBeLessThan(1.01e-3);
    await trainer.dispose();
  });

  it("touches no channel beyond the drawn width", async () => {
    const trainer = await realTrainer();
    const before = trainer.state();
    await trainer.train([gates], 1e-2);
    const after = trainer.state();
    const stem = trainer.network.layout.parameters.find(({ name }) => name === "trunk/stem/weight")!;
    // inputs x width, the drawn width is 4 of 8.
    for (let i = 0; i < stem.size; i++) {
      const changed = before.params[stem.offset + i] !== after.params[stem.offset + i];
      expect(changed, `weight ${i}`).toBe(i % 8 < 4);
    }
    await trainer.dispose();
  });

  it("moves a candidate by about the learning rate when it is drawn for the first time, however late", async () => {
    const trainer = await realTrainer();
    const zeros = space.slots.map(() => 0);
    const tanh = space.slots[1]!.candidates.findIndex(({ name }) => name === "tanh");
    await trainer.train(new Array<Float32Array>(300).fill(encode(space, zeros)), 1e-3);
    const before = trainer.state();
    await trainer.train([encode(space, zeros.with(1, tanh))], 1e-3);
    const after = trainer.state();
    const weight = trainer.network.layout.parameters.find(({ name }) => name === "trunk/0-1/tanh")!;
    const moves = [...after.params.subarray(weight.offset, weight.offset + weight.size)]
      .map((value, i) => Math.abs(value - before.params[weight.offset + i]!))
      .filter((move) => move > 0);
    // The first step of Adam is the learning rate in each weight: 4 x 4 of them are within the drawn width.
    expect(moves).toHaveLength(16);
    for (const move of moves) expect(move / 1e-3).toBeCloseTo(1, 2);
    await trainer.dispose();
  });

  it("leaves everything to the bit when it validates (D4)", async () => {
    const trainer = await realTrainer();
    await trainer.train([gates, gates], 1e-2);
    const before = trainer.state();
    const loss = await trainer.validate(gates);
    expect(await trainer.validate(gates)).toBe(loss);
    expect(trainer.state()).toEqual(before);
    await trainer.dispose();
  });

  it("validates with the Huber loss on the validation rows", async () => {
    const data = toyData();
    const trainer = await realTrainer(data);
    const rows = rowRange(40, 50);
    const x = [...rows].flatMap((row) => [data.x[2 * row]!, data.x[2 * row + 1]!]);
    const [output] = predict(trainer.network, trainer.state().params, x, gates);
    const losses = [...rows].map((row, i) => {
      const r = Math.abs(output![i]! - data.targets[0]![row]!);
      return r <= 1 ? r ** 2 / 2 : r - 0.5;
    });
    expect(await trainer.validate(gates)).toBeCloseTo(losses.reduce((a, c) => a + c, 0) / 10, 6);
    await trainer.dispose();
  });

  it("learns", async () => {
    const trainer = await realTrainer();
    const before = await trainer.validate(gates);
    const first = await trainer.train([gates], 1e-2);
    await trainer.train(new Array<Float32Array>(300).fill(gates), 1e-2);
    const last = await trainer.train(new Array<Float32Array>(trainer.stepsPerEpoch).fill(gates), 1e-2);
    expect(last).toBeLessThan(0.2 * first);
    expect(await trainer.validate(gates)).toBeLessThan(0.3 * before);
    await trainer.dispose();
  });

  it("goes on from a state as if it had never stopped, in any division of the steps", async () => {
    const rng = makeRng(92);
    const paths = Array.from({ length: 13 }, () => encode(space, randomArchitecture(space, rng)));
    const whole = await realTrainer();
    await whole.train(paths, 1e-2);
    const parts = await realTrainer();
    await parts.train(paths.slice(0, 7), 1e-2);
    const saved = structuredClone(parts.state());
    // Another trainer of the same seed, with other steps behind it.
    const other = await realTrainer();
    await other.train(paths.slice(3, 6), 1e-1);
    other.restore(saved);
    await other.train(paths.slice(7), 1e-2);
    expect(other.state()).toEqual(whole.state());
    expect(other.state().steps).toBe(13);
    for (const trainer of [whole, parts, other]) await trainer.dispose();
  });

  it("hands out copies of its state", async () => {
    const trainer = await realTrainer();
    const state = trainer.state();
    state.params.fill(7);
    expect(trainer.state().params[0]).not.toBe(7);
    const given: SupernetState = { ...trainer.state(), steps: 0 };
    trainer.restore(given);
    given.params.fill(7);
    expect(trainer.state().params[0]).not.toBe(7);
    await trainer.train([gates], 1e-2);
    expect(given.params[0]).toBe(7);
    await trainer.dispose();
  });

  it("sees every training row once in an epoch, and no other row", async () => {
    // Each row alone decides the loss of its batch: targets are powers of two.
    const rows = 12;
    const data = {
      rows: 20,
      inputs: 2,
      x: new Float32Array(40),
      targets: [Float32Array.from({ length: 20 }, (_, i) => (i < rows ? 2 ** i : Number.NaN))],
    };
    const trainer = await supernetTrainer({
      engine: getEngine("onnxruntime"),
      network: supernet(space),
      data,
      trainRows: rowRange(0, rows),
      validationRows: rowRange(0, 1),
      batch: 4,
      loss: "huber",
      rng: makeRng(93),
    });
    expect(trainer.stepsPerEpoch).toBe(3);
    const orders: string[] = [];
    for (let epoch = 0; epoch < 2; epoch++) {
      let seen = 0;
      const order: number[] = [];
      for (let step = 0; step < 3; step++) {
        // With the rate 0 the prediction stays where it is, near 0: the loss is |y| - 1/2, of y = 1 it is 1/2.
        const loss = await trainer.train([gates], 0);
        const sum = Math.round(4 * loss + 4 * 0.5);
        order.push(sum);
        seen += sum;
      }
      expect(seen).toBe(2 ** rows - 1);
      orders.push(order.join());
    }
    expect(orders[0]).not.toBe(orders[1]);
    await trainer.dispose();
  });

  it("takes mixtures of candidates as well", async () => {
    const trainer = await realTrainer();
    const soft = mixture(
      space,
      space.slots.map(({ candidates }) => candidates.map(() => 1 / candidates.length)),
    );
    const before = await trainer.validate(soft);
    await trainer.train(new Array<Float32Array>(200).fill(soft), 1e-2);
    expect(await trainer.validate(soft)).toBeLessThan(0.5 * before);
    await trainer.dispose();
  });

  it("does nothing when there is nothing to train", async () => {
    const trainer = await realTrainer();
    const before = trainer.state();
    expect(await trainer.train([], 1e-2)).toBe(0);
    expect(trainer.state()).toEqual(before);
    await trainer.dispose();
  });
});
