/**
 * The menus of candidate operations, as data. A dense slot offers activations followed by a linear map, a convolution
 * slot offers kernel sizes; both offer `zero`, which removes the connection, and `identity`.
 * Source: spec of DENSE 2.1; the published kernel list is unknown, so the lists are ours.
 */

/** Smooth and kinked activations of dense candidates. */
export const activations = ["tanh", "silu", "relu", "sin"] as const;
export type Activation = (typeof activations)[number];

export type Candidate =
  /** Removes the connection. */
  | { readonly kind: "zero"; readonly name: string }
  /** Passes its input on. */
  | { readonly kind: "identity"; readonly name: string }
  /** Activation, then a linear map of the same width. */
  | { readonly kind: "dense"; readonly name: string; readonly activation: Activation }
  /** ReLU, then a convolution with `size` taps per axis, `dilation` apart, same padding, same channels. */
  | { readonly kind: "conv"; readonly name: string; readonly size: number; readonly dilation: number }
  /** How a field is made from the trunk: one linear map, one after a wide hidden layer, or stages of convolutions. */
  | { readonly kind: "decoder"; readonly name: "linear" | "dense" | "convolutional" }
  /** A number of live channels: the others are masked. */
  | { readonly kind: "width"; readonly name: string; readonly width: number };

export type CandidateKind = Candidate["kind"];

const zero: Candidate = { kind: "zero", name: "zero" };
const identity: Candidate = { kind: "identity", name: "identity" };

function dense(activation: Activation): Candidate {
  return { kind: "dense", name: activation, activation };
}

function conv(size: number, dilation = 1): Candidate {
  return { kind: "conv", name: dilation === 1 ? `conv${size}` : `conv${size}d${dilation}`, size, dilation };
}

/** Candidates of a dense slot. Smooth activations only: the line search that finishes training needs second derivatives,
 * and ReLU ended ten times worse on smooth tables. */
export const denseMenu: readonly Candidate[] = [zero, identity, dense("tanh"), dense("silu"), dense("sin")];

/** The same without a connection left out: every slot computes. */
export const liveDenseMenu: readonly Candidate[] = denseMenu.filter(({ kind }) => kind === "dense");

/** Candidates of a convolution slot (spec 2.1, item 5). */
export const convMenu: readonly Candidate[] = [zero, identity, conv(1), conv(3), conv(5), conv(7), conv(3, 2)];

/** How a field with a shape is made. The linear map wins where runs are few; what moves over many places needs more directions
 * than the trunk has channels: the dense decoder. */
export const decoderMenu: readonly Candidate[] = [
  { kind: "decoder", name: "linear" },
  { kind: "decoder", name: "dense" },
  { kind: "decoder", name: "convolutional" },
];

/** Channels of the dense trunk. */
export const widthMenu = (widths: readonly number[]): readonly Candidate[] =>
  widths.map((width) => ({ kind: "width", name: String(width), width }));
