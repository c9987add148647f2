import { describe, expect, it } from "vitest";
import { makeRng } from "../../../src/rng.ts";
import {
  type DenseState,
  dense,
  denseDefaults,
  softmax,
  updateLogits,
  utilities,
} from "../../../src/search/strategies/dense.ts";
import { type Architecture, drawArchitecture, encode, initialise, supernet } from "../../../src/space/index.ts";
import { predict } from "../../space/support.ts";
import { contextFor, plantedTrainer, realTrainer, space, watched } from "../support.ts";

const logits = [
  [0.3, -0.2, 1.1, 0],
  [0, 2, -1],
];

function draws(count: number, rng = makeRng(60)): Architecture[] {
  return Array.from({ length: count }, () => drawArchitecture(logits.map(softmax), rng));
}

describe("utilities()", () => {
  // The numbers listed in spec 2.2, step 4.
  it.each([
    [4, [1.774, 0.226, -0.679, -1.321]],
    [8, [2.427, 1.158, 0.415, -0.111, -0.52, -0.853, -1.136, -1.38]],
  ])("are the listed numbers for %d draws (D3)", (mu, listed) => {
    const u = utilities(Array.from({ length: mu }, (_, r) => 10 + r));
    u.forEach((value, r) => {
      expect(Math.abs(value - listed[r]!)).toBeLessThan(1e-3);
    });
    expect(Math.abs(u.reduce((a, c) => a + c, 0))).toBeLessThan(1e-12);
    expect(Math.abs(u.reduce((a, c) => a + Math.abs(c), 0) - mu)).toBeLessThan(1e-12);
  });

  it("depend on the order of the losses alone (D3)", () => {
    const rng = makeRng(61);
    const losses = Array.from({ length: 8 }, () => 5 * rng.normal());
    expect(utilities(losses.map(Math.exp))).toEqual(utilities(losses));
    const forwards = utilities(losses);
    utilities([...losses].reverse()).forEach((value, r) => {
      expect(value).toBeCloseTo(forwards[7 - r]!, 12);
    });
  });

  it("give equal losses the utility of their mean rank", () => {
    const u = utilities([3, 1, 1, 7]);
    expect(u[1]).toBe(u[2]);
    const v = [1.5, 1.5, 3, 4].map((rank) => Math.log(4.5) - Math.log(rank));
    const sum = v.reduce((a, c) => a + c, 0);
    const centred = v.map((value) => value / sum - 0.25);
    const moduli = centred.reduce((a, c) => a + Math.abs(c), 0);
    expect(u[0]).toBeCloseTo((4 * centred[2]!) / moduli, 12);
    expect(u[1]).toBeCloseTo((4 * centred[0]!) / moduli, 12);
  });

  it("are all zero where all losses are equal, however many there are", () => {
    for (let mu = 1; mu <= 40; mu++)
      expect(utilities(new Array<number>(mu).fill(0.3))).toEqual(new Array<number>(mu).fill(0));
  });

  it("put losses that are not numbers last", () => {
    expect(utilities([1, Number.NaN, 2])).toEqual(utilities([1, 3, 2]));
    expect(utilities([1, Number.NaN, Number.POSITIVE_INFINITY])).toEqual(utilities([1, 2, 2]));
  });
});

describe("updateLogits()", () => {
  it("is plain SGD with the closed form of the gradient (D3)", () => {
    const drawn = draws(8);
    const losses = [5, 3, 8, 1, 2, 9, 4, 7];
    const u = utilities(losses);
    const next = updateLogits(logits, drawn, losses, 0.05);
    logits.forEach((row, e) => {
      const p = softmax(row);
      row.forEach((value, i) => {
        // Spec 2.2, step 5: d/db_e[i] = -sum_r u_r (1[s_r,e = i] - p_e[i]).
        const gradient = -drawn.reduce((sum, s, r) => sum + u[r]! * (Number(s[e] === i) - p[i]!), 0);
        expect(Math.abs(next[e]![i]! - (value - 0.05 * gradient))).toBeLessThan(1e-12);
      });
    });
  });

  it.each([0, 0.1, 0.5])("follows the gradient of the log-probability with exploration %d", (exploration) => {
    const drawn = draws(8);
    const losses = [5, 3, 8, 1, 2, 9, 4, 7];
    const u = utilities(losses);
    const objective = (at: readonly (readonly number[])[]): number =>
      -drawn.reduce(
        (sum, s, r) =>
          sum +
          u[r]! *
            s.reduce((logs, choice, e) => {
              const p = softmax(at[e]!);
              return logs + Math.log((1 - exploration) * p[choice]! + exploration / p.length);
            }, 0),
        0,
      );
    const next = updateLogits(logits, drawn, losses, 1, exploration);
    const h = 1e-5;
    logits.forEach((row, e) => {
      row.forEach((value, i) => {
        const shifted = (by: number) => logits.map((other, f) => (f === e ? other.with(i, value + by) : other));
        const gradient = (objective(shifted(h)) - objective(shifted(-h))) / (2 * h);
        expect(next[e]![i]! - value).toBeCloseTo(-gradient, 7);
      });
    });
  });

  it("changes nothing when every loss is replaced by its exponential (D3)", () => {
    const losses = [0.5, 0.3, 0.8, 0.1];
    const drawn = draws(4);
    expect(updateLogits(logits, drawn, losses.map(Math.exp), 0.05)).toEqual(updateLogits(logits, drawn, losses, 0.05));
  });

  it("leaves its argument as it was", () => {
    const before = structuredClone(logits);
    updateLogits(logits, draws(4), [1, 2, 3, 4], 0.05);
    expect(logits).toEqual(before);
  });

  it("finds planted operations (D5)", () => {
    // Six slots of seven candidates; the loss is the number of slots without the planted one.
    const mu = denseDefaults.draws;
    expect(mu).toBe(8);
    const planted = [3, 0, 6, 2, 5, 1];
    let found = 0;
    for (let seed = 0; seed < 10; seed++) {
      const rng = makeRng(seed).fork("planted");
      let b: number[][] = planted.map(() => new Array<number>(7).fill(0));
      for (let update = 0; update < 300; update++) {
        const p = b.map(softmax);
        const drawn = Array.from({ length: mu }, () => drawArchitecture(p, rng));
        const losses = drawn.map((s) => s.filter((choice, e) => choice !== planted[e]).length);
        b = updateLogits(b, drawn, losses, denseDefaults.logitRate);
      }
      if (b.every((row, e) => softmax(row)[planted[e]!]! > 0.9)) found++;
    }
    expect(found).toBeGreaterThanOrEqual(9);
  });
});

describe("draws", () => {
  it("have the frequencies of softmax(b) (D2)", () => {
    const count = 10_000;
    const counts = logits.map((row) => row.map(() => 0));
    for (const s of draws(count, makeRng(62)))
      s.forEach((choice, e) => {
        counts[e]![choice]!++;
      });
    logits.forEach((row, e) => {
      softmax(row).forEach((p, i) => {
        expect(Math.abs(counts[e]![i]! / count - p)).toBeLessThan(4 * Math.sqrt((p * (1 - p)) / count));
      });
    });
  });

  it("of certain logits agree to the bit, of uniform ones they differ (D6)", () => {
    const network = supernet(space);
    const weights = initialise(network.layout, makeRng(63));
    const x = Array.from({ length: 20 }, (_, i) => Math.sin(i));
    const spreadOf = (b: readonly (readonly number[])[]): number => {
      const rng = makeRng(64);
      const outputs = Array.from({ length: 16 }, () => {
        const architecture = drawArchitecture(b.map(softmax), rng);
        return predict(network, weights, x, encode(space, architecture))[0]!;
      });
      const rows = Array.from({ length: 10 }, (_, i) => outputs.map((output) => output[i]!));
      const variance = (values: readonly number[]): number => {
        const mean = values.reduce((a, c) => a + c, 0) / values.length;
        return values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / values.length;
      };
      const ensemble = Math.sqrt(rows.reduce((sum, row) => sum + variance(row), 0) / rows.length);
      return ensemble / Math.sqrt(variance(outputs.flatMap((output) => [...output])));
    };
    const uniform = space.slots.map(({ candidates }) => candidates.map(() => 0));
    expect(spreadOf(uniform.map((row) => row.with(row.length - 1, 30)))).toBeLessThan(1e-6);
    expect(spreadOf(uniform)).toBeGreaterThan(0.01);
  });
});

/** Fails on the first attempt to write. */
function frozen<T>(value: T): T {
  if (typeof value === "object" && value !== null) {
    Object.values(value).forEach(frozen);
    Object.freeze(value);
  }
  return value;
}

describe("a step of dense", () => {
  it("leaves the weights to the weight phase and the logits to the variable phase (D4)", async () => {
    const trainer = await realTrainer();
    const base = watched(trainer);
    const states: string[] = [];
    const bytes = (): string => Buffer.from(trainer.state().params.buffer).toString("base64");
    const spy = {
      ...base,
      async train(gates: readonly Float32Array[], rate: number) {
        states.push("train");
        const loss = await base.train(gates, rate);
        states.push(bytes());
        return loss;
      },
      async validate(gates: Float32Array) {
        const loss = await base.validate(gates);
        states.push(bytes());
        return loss;
      },
    };
    const context = contextFor({ trainer: spy, progress: 0.5 });
    const before = frozen(dense.init(context));
    const start = bytes();
    const { state } = await dense.step(context, before);
    expect(base.asked.trained).toHaveLength(trainer.stepsPerEpoch);
    // One weight phase; then the same weights to the bit after each validation.
    expect(states[0]).toBe("train");
    const after = states.slice(1);
    expect(after.length).toBeGreaterThan(2);
    expect(new Set(after).size).toBe(1);
    expect(after[0]).not.toBe(start);
    expect(state.logits).not.toEqual(before.logits);
    await trainer.dispose();
  });

  it("moves no logits while the weights warm up, but trains, and scores one draw", async () => {
    const trainer = plantedTrainer(([first = 0]) => first);
    const context = contextFor({ trainer, progress: denseDefaults.warmUp - 0.01 });
    const { state } = await dense.step(context, frozen(dense.init(context)));
    expect(state.logits).toEqual(dense.init(context).logits);
    expect(trainer.asked.trained).toHaveLength(trainer.stepsPerEpoch);
    expect(trainer.asked.validated).toHaveLength(1);
    expect(state.seen.map(({ architecture }) => architecture)).toEqual(trainer.asked.validated);
  });

  it("takes no sides where all draws are equally good", async () => {
    const trainer = plantedTrainer(() => 0.5);
    const context = contextFor({ trainer, progress: 0.5 });
    const { state } = await dense.step(context, frozen(dense.init(context)));
    expect(state.logits).toEqual(dense.init(context).logits);
    expect(trainer.asked.validated.length).toBeGreaterThan(0);
  });

  it("scores each network once and ranks every draw", async () => {
    const trainer = plantedTrainer(([first = 0]) => first);
    // Two networks only: all slots but the first are settled.
    const state: DenseState = {
      logits: space.slots.map(({ candidates }, e) => candidates.map((_, i) => (e > 0 && i === 0 ? 40 : 0))),
      best: { loss: Number.POSITIVE_INFINITY, logits: [], architecture: null },
      seen: [],
    };
    const context = contextFor({ trainer, progress: 1 });
    await dense.step(context, state);
    expect(trainer.asked.validated).toHaveLength(2);
    expect(context.history.records.filter(({ event }) => event === "evaluated")).toHaveLength(8);
  });

  it("remembers the best epoch and asks to keep its weights", async () => {
    let kept = 0;
    const losses = [3, 2, 5];
    let epoch = 0;
    const trainer = plantedTrainer(() => losses[epoch]!);
    const context = contextFor({ trainer, progress: 0.5 });
    const evaluator = { ...context.evaluator, keep: () => kept++ };
    let state = dense.init(context);
    const seen: number[] = [];
    for (; epoch < 3; epoch++) {
      ({ state } = await dense.step({ ...context, evaluator, rng: makeRng(epoch) }, state));
      seen.push(state.best.loss);
    }
    expect(seen).toEqual([3, 2, 2]);
    expect(kept).toBe(2);
  });

  it("ends with the best of its newest draws, best first, and forgets older ones", async () => {
    const loss = (architecture: Architecture): number =>
      architecture.reduce((sum, choice, e) => sum + choice / (e + 1), 0);
    let first = true;
    // Draws of the first step seem better than any later one: their losses belong to other weights.
    const trainer = plantedTrainer((architecture) => loss(architecture) - (first ? 100 : 0));
    const context = contextFor({ trainer, progress: 0.5 });
    let state = dense.init(context);
    for (let i = 0; i < 12; i++) {
      ({ state } = await dense.step({ ...context, rng: makeRng(i) }, state));
      first = false;
    }
    expect(state.seen).toHaveLength(64);
    const { architectures, best } = await dense.finish(context, state);
    const losses = architectures.map(loss);
    expect(losses.length).toBeGreaterThan(1);
    expect(losses).toEqual([...losses].sort((a, c) => a - c));
    expect(best).toEqual(architectures[0]);
    expect(losses[0]).toBe(Math.min(...state.seen.map((draw) => draw.loss)));
  });

  it("explores at the start of the search and no more after half of it", async () => {
    // A draw that the logits exclude can only come from exploration.
    const settled: DenseState = {
      logits: space.slots.map(({ candidates }) => candidates.map((_, i) => (i === 0 ? 60 : 0))),
      best: { loss: Number.POSITIVE_INFINITY, logits: [], architecture: null },
      seen: [],
    };
    const othersAt = async (progress: number): Promise<number> => {
      const trainer = plantedTrainer(() => 1);
      let others = 0;
      for (let i = 0; i < 30; i++) await dense.step(contextFor({ trainer, progress, rng: makeRng(i) }), settled);
      for (const s of trainer.asked.trained) others += s.filter((choice) => choice !== 0).length;
      return others / (trainer.asked.trained.length * space.slots.length);
    };
    // eps = 0.1 draws uniformly: about 0.1 * (1 - 1/n) of the choices are others.
    const early = await othersAt(0);
    expect(early).toBeGreaterThan(0.04);
    expect(early).toBeLessThan(0.12);
    expect(await othersAt(0.5)).toBe(0);
  });
});
