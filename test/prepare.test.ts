/** What is settled before any training, by the runs there are. */
import { expect, test } from "vitest";
import type { FitOptions } from "../src/fit/options.ts";
import { prepare, searchSpace } from "../src/fit/prepare.ts";
import { buildRuns, tableFrom } from "../src/index.ts";
import { superArchitecture } from "../src/space/index.ts";

const runsOf = (count: number) => {
  const rows = Array.from({ length: count }, (_, i) => {
    const a = i / count;
    return { a, "s[0]": a * a, "s[1]": Math.sin(3 * a), "s[2]": 1 - a };
  });
  return buildRuns(tableFrom(rows), { inputs: ["a"] });
};

test("a field of few runs is not offered a wide hidden layer", () => {
  const decoders = (count: number) =>
    prepare(runsOf(count), {})
      .space.slots.find(({ name }) => name === "field0/decoder")!
      .candidates.map(({ name }) => name);
  expect(decoders(199)).toEqual(["linear", "convolutional"]);
  expect(decoders(200)).toEqual(["linear", "dense", "convolutional"]);
  expect(
    prepare(runsOf(200), { space: { decoderMenu: [{ kind: "decoder", name: "linear" }] } }).space.slots,
  ).toContainEqual(expect.objectContaining({ name: "field0/decoder", fixed: true }));
});

test("a fold for each member, small ones for few members of many runs, the same one for two or three, or of many runs", () => {
  const foldsOf = (members: number, count: number) => {
    const { folds, heldOut } = prepare(runsOf(count), { members });
    return [folds, heldOut];
  };
  expect([foldsOf(8, 40), foldsOf(8, 400), foldsOf(16, 400), foldsOf(8, 5)]).toEqual([
    ...[
      [8, 8],
      [8, 8],
      [8, 8],
    ],
    [5, 5],
  ]);
  expect([foldsOf(4, 40), foldsOf(4, 150), foldsOf(5, 400)]).toEqual([
    [4, 4],
    [6, 4],
    [8, 5],
  ]);
  expect([foldsOf(2, 40), foldsOf(3, 120), foldsOf(2, 400), foldsOf(2, 2)]).toEqual([
    [3, 1],
    [4, 1],
    [8, 1],
    [2, 1],
  ]);
  expect([foldsOf(8, 1599), foldsOf(8, 1600), foldsOf(2, 1600)]).toEqual([
    [8, 8],
    [16, 1],
    [16, 1],
  ]);
});

test("four members of signals and images of many runs, eight of others", () => {
  const membersOf = (runs: ReturnType<typeof runsOf>, options: FitOptions = {}) => prepare(runs, options).members;
  const scalars = tableFrom(Array.from({ length: 1600 }, (_, i) => ({ a: i / 1600, y: Math.sin(i) })));
  expect([membersOf(runsOf(1599)), membersOf(runsOf(1600))]).toEqual([8, 4]);
  expect(membersOf(buildRuns(scalars, { inputs: ["a"] }))).toBe(8);
  expect(membersOf(runsOf(1600), { ensemble: "supernet" })).toBe(32);
  expect(membersOf(runsOf(1600), { members: 6 })).toBe(6);
});

test("rows are unseen by two members only in folds that members hold out", () => {
  const { foldOf, secondFoldOf, folds } = prepare(runsOf(400), { members: 4 });
  expect(folds).toBe(8);
  const pairs = Array.from(secondFoldOf.keys()).filter((row) => secondFoldOf[row]! >= 0);
  expect(pairs).toHaveLength(4 * Math.floor(50 / 8));
  for (const row of pairs) expect([foldOf[row]! < 4, secondFoldOf[row]! < 4]).toEqual([true, true]);
  expect(prepare(runsOf(400), { members: 2 }).secondFoldOf.every((fold) => fold === -1)).toBe(true);
});

test("many scalars that plain networks miss are searched among larger networks, unless a device or a limit is in view", () => {
  const { spaceOptions: space } = prepare(
    buildRuns(
      tableFrom([
        { a: 1, y: 2 },
        { a: 2, y: 3 },
        { a: 4, y: 7 },
      ]),
      { inputs: ["a"] },
    ),
    {},
  );
  const trunk = (missed: number, rows: number, options: FitOptions = {}) => {
    const { slots } = superArchitecture(searchSpace({ space, missed }, rows, options));
    return slots.filter(({ stage }) => stage === "trunk").map(({ candidates }) => candidates.map(({ name }) => name));
  };
  const usual = superArchitecture(space)
    .slots.filter(({ stage }) => stage === "trunk")
    .map(({ candidates }) => candidates.map(({ name }) => name));
  const larger = trunk(0.01, 1600);
  expect(larger[0]).toEqual(["64"]);
  expect(larger.slice(1)).toEqual(Array.from({ length: 15 }, () => ["tanh", "silu", "sin"]));
  for (const same of [
    trunk(5e-4, 1600),
    trunk(0.01, 1599),
    trunk(0.01, 1600, { constraint: { kind: "hard", limit: 1 } }),
  ])
    expect(same).toEqual(usual);
  expect(trunk(0.01, 1600, { space: { trunkNodes: 2 } })).toHaveLength(4);
});
