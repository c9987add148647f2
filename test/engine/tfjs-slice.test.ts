import fc from "fast-check";
import { expect, it } from "vitest";
import { findBackend } from "../../src/engine/tfjs-library.ts";
import { copyBlock } from "../../src/engine/tfjs-slice.ts";

/** A shape of up to four axes and a block within it. */
const blocks = fc
  .array(fc.tuple(fc.integer({ min: 1, max: 20 }), fc.nat(19), fc.nat(19)), { minLength: 1, maxLength: 4 })
  .map((axes) => ({
    shape: axes.map(([size]) => size),
    from: axes.map(([size, a]) => a % size),
    size: axes.map(([size, a, b]) => (b % (size - (a % size))) + 1),
  }));

it("copies any block, element by element where it stands", () => {
  fc.assert(
    fc.property(blocks, ({ shape, from, size }) => {
      const count = (sizes: readonly number[]): number => sizes.reduce((n, each) => n * each, 1);
      const source = Float32Array.from({ length: count(shape) }, (_, i) => i);
      const target = new Float32Array(count(size)).fill(-1);
      copyBlock(source, shape, from, target, size);
      const expected = Array.from(target, (_, i) => {
        let [rest, offset, stride] = [i, 0, 1];
        for (let axis = shape.length - 1; axis >= 0; axis--) {
          offset += (from[axis]! + (rest % size[axis]!)) * stride;
          rest = Math.floor(rest / size[axis]!);
          stride *= shape[axis]!;
        }
        return offset;
      });
      expect(Array.from(target)).toEqual(expected);
    }),
    { seed: 7, numRuns: 200 },
  );
});

it("slices numbers, truths and words on the WebAssembly backend", async () => {
  const { tf } = await findBackend(["wasm"]);
  expect(Array.from(tf.slice(tf.tensor2d([1, 2, 3, 4, 5, 6], [2, 3]), [0, 1], [2, 2]).dataSync())).toEqual([
    2, 3, 5, 6,
  ]);
  expect(Array.from(tf.slice(tf.tensor([true, false, true], [3], "bool"), [1], [-1]).dataSync())).toEqual([0, 1]);
  expect(Array.from(tf.slice(tf.tensor(["a", "b", "c"]), [1], [2]).dataSync())).toEqual(["b", "c"]);
  expect(tf.slice(tf.tensor2d([1, 2, 3, 4], [2, 2]), [1, 0], [0, 2]).shape).toEqual([0, 2]);
});
