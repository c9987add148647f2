/** What is settled before any training, by the runs there are. */
import { expect, test } from "vitest";
import { prepare } from "../src/fit/prepare.ts";
import { buildRuns, tableFrom } from "../src/index.ts";

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
