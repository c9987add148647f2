/** Axes of inputs: warped where the outputs ask for it, and only there. */
import { expect, test } from "vitest";
import type { Runs, Selection } from "../src/data/index.ts";
import { settleWarps } from "../src/fit/warps.ts";
import { buildRuns, fitRuns, inProcess, loadEmulator, tableFrom } from "../src/index.ts";
import { makeRng } from "../src/rng.ts";

/** 60 runs of a length that matters by its order of magnitude near 0, an angle, a count of two values and a word. */
function runsOf(
  valueOf: (length: number, angle: number) => number,
  selection: Selection = { inputs: ["length", "angle", "layers", "metal"] },
): Runs {
  const rng = makeRng(4);
  const rows = Array.from({ length: 60 }, (_, i) => {
    const [length, angle] = [0.5 * rng.uniform(), rng.uniform()];
    return { length, angle, layers: 1 + (i % 2), metal: i % 3 === 0 ? "Al" : "Cu", y: valueOf(length, angle) };
  });
  return buildRuns(tableFrom(rows), selection);
}
const steep = (length: number, angle: number): number => Math.sin(2 * Math.log(length + 0.002)) + angle;

const settled = (runs: Runs) =>
  settleWarps(runs, {
    rng: makeRng(1),
    runner: inProcess(),
    deadline: Number.POSITIVE_INFINITY,
    checkpoints: undefined,
  });
const warpsOf = ({ schema }: Runs): Record<string, number> =>
  Object.fromEntries(
    schema.inputs.flatMap((input) =>
      input.kind !== "categorical" && input.warp !== undefined ? [[input.name, input.warp]] : [],
    ),
  );

test("an input that matters by its order of magnitude gets a warped axis, and the notes say so", async () => {
  const { runs, notes } = await settled(runsOf(steep));
  const { length = 0, layers } = warpsOf(runs);
  expect(length).toBeGreaterThan(2);
  expect(layers).toBeUndefined();
  expect(notes).toEqual([expect.stringMatching(/"length" \(\d.*small values are told apart more finely.*\d+ % of/)]);
});

test("where straight axes do, they stay", async () => {
  const straight = runsOf((length, angle) => Math.sin(3 * length) * angle);
  expect(await settled(straight)).toEqual({ runs: straight, notes: [] });
});

test("a warp that the user states stands, also none", async () => {
  const schema = { inputs: ["length", "angle", "layers", "metal"].map((name) => ({ name })), fields: [{ name: "y" }] };
  const stating = (warp: number): Runs =>
    runsOf(steep, {
      schema: { ...schema, inputs: schema.inputs.map((i) => (i.name === "length" ? { ...i, warp } : i)) },
    });
  expect(warpsOf((await settled(stating(0))).runs)["length"]).toBe(0);
  expect(warpsOf((await settled(stating(1.5))).runs)["length"]).toBe(1.5);
});

test("the emulator file keeps the axis, and answers beyond its ends", async () => {
  const { bytes, info } = await fitRuns(runsOf(steep), { effort: "quick", members: 2, process: false });
  const kept = info.schema.inputs.find(({ name }) => name === "length");
  expect(kept).toMatchObject({ warp: expect.any(Number) as number });
  const emulator = await loadEmulator(bytes);
  const [field] = await emulator.predict(Float64Array.of(-0.1, 0.5, 1, 0, 0.7, 0.5, 2, 1));
  await emulator.dispose();
  expect(field?.mean.every(Number.isFinite)).toBe(true);
});
