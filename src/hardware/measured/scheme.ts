/** How the kernels of a class of devices are told apart and what their times depend on (spec latency 2.2): the contract, and
 * what classes share. */
import type { FusionRule, Kernel } from "../kernels.ts";
import type { Geometry, Network } from "../network.ts";
import type { Padding } from "./calibration.ts";

export interface KernelScheme {
  /** What the engine fuses. */
  readonly rules: readonly FusionRule[];
  /** The kind that a kernel is fitted with, of a call with so many rows; what follows an `@` tells batches apart. */
  kindOf(kernel: Kernel, batch: number): string;
  /** Kinds that a kind takes its time from, itself first: the first that was measured counts. */
  standIns(kind: string): readonly string[];
  /** Number of features. */
  readonly width: number;
  /** Features of one kernel for a batch. */
  features(kernel: Kernel, batch: number, padding: Padding): number[];
  /** What a call does beside its kernels, each so many times for so long. */
  readonly around: readonly Around[];
}

export interface Around {
  readonly name: string;
  /** How many there are. @param kernels of the network */
  count(network: Network, kernels: readonly Kernel[]): number;
}

/** Values beyond the first that a call hands over. @param returns how many it hands over */
export function furtherResults(returns: Around["count"]): Around {
  return { name: "further results", count: (network, kernels) => Math.max(0, returns(network, kernels) - 1) };
}

/** Products by shape, elementwise functions by how dear they are. */
export function kindOf(kernel: Kernel): string {
  const wide = kernel.elementBytes === 8 ? "64" : "";
  if (kernel.kind === "dense")
    return `${kernel.geometry!.vectors === 1 && kernel.geometry!.groups === 1 ? "gemm" : "matmul"}${wide}`;
  if (kernel.kind !== "elementwise") return kernel.kind;
  const [head = ""] = kernel.name.split("+");
  if (head === "Sin" || head === "Cos" || head === "Log" || head === "Exp" || head === "Pow") return `dear${wide}`;
  if (head === "Tanh" || head === "Sigmoid" || head === "Erf" || head === "Softplus") return `activation${wide}`;
  return `cheap${wide}`;
}

/** What stands in best for a kind; `cheap` for the rest. */
export const nearest: Readonly<Record<string, string>> = {
  reduce: "cheap",
  copy: "cheap",
  dear: "activation",
  activation: "dear",
  tanh: "activation",
  matmul: "gemm",
};

const up = (n: number, block: number): number => Math.ceil(n / block) * block;

/** Multiply-accumulates of a product whose outputs are padded to tiles. */
export function paddedMacs({ nIn, nOut, vectors, groups }: Geometry, batch: number, padding: Padding): number {
  return up(nOut, padding.columns) * nIn * groups * up(batch * vectors, padding.rows);
}
