/**
 * Slices within the memory of the WebAssembly backend. Its own copy the whole tensor out first, into a new buffer whose pages
 * the system may have to hand out anew at each call: decoders took up to three times as long, some runs of a program and not others.
 */
type Tfjs = typeof import("@tensorflow/tfjs");
type Numbers = Float32Array | Int32Array | Uint8Array;
type Info = import("@tensorflow/tfjs").TensorInfo;

/** What is used of the backend. */
interface Memory {
  makeOutput(shape: number[], dtype: Info["dtype"]): Info;
  /** A view, which does not outlive the memory's growth. */
  typedArrayFromHeap(of: Info): Numbers;
}

/** Runs of elements that are shorter than this are copied one by one. */
const SHORT = 16;

/** Puts our slices in the place of the backend's. */
export function replaceSlices(tf: Tfjs): void {
  const own = tf.getKernel("Slice", "wasm");
  tf.unregisterKernel("Slice", "wasm");
  tf.registerKernel({
    ...own,
    kernelFunc(call) {
      const { inputs, attrs, backend } = call;
      if (inputs["x"]!.dtype === "string") return own.kernelFunc(call);
      const memory = backend as Memory;
      const x = inputs["x"]!;
      const { begin, size } = attrs as unknown as { readonly begin: number[]; readonly size: number[] };
      const [from = [], shape = []] = tf.slice_util.parseSliceParams(x, begin, size);
      const out = memory.makeOutput(shape, x.dtype);
      // Views last: room for the result may make the memory grow.
      copyBlock(memory.typedArrayFromHeap(x), x.shape, from, memory.typedArrayFromHeap(out), shape);
      return out;
    },
  });
}

/** Copies the block of `source` that begins at `from` and has the shape `size`. @param shape of the source */
export function copyBlock(
  source: Numbers,
  shape: readonly number[],
  from: readonly number[],
  target: Numbers,
  size: readonly number[],
): void {
  // Axes after the last one that is cut lie side by side with it.
  let last = shape.length - 1;
  while (last > 0 && size[last] === shape[last]) last--;
  let stride = 1;
  const strides = shape.map(() => 0);
  for (let axis = shape.length - 1; axis >= 0; axis--) {
    strides[axis] = stride;
    stride *= shape[axis]!;
  }
  const run = (size[last] ?? 1) * (strides[last] ?? 1);
  let at = 0;
  const copy = (axis: number, offset: number): void => {
    const start = offset + (from[axis] ?? 0) * (strides[axis] ?? 1);
    if (axis < last) for (let i = 0; i < size[axis]!; i++) copy(axis + 1, start + i * strides[axis]!);
    else {
      if (run < SHORT) for (let i = 0; i < run; i++) target[at + i] = source[start + i]!;
      else target.set(source.subarray(start, start + run), at);
      at += run;
    }
  };
  copy(0, 0);
}
