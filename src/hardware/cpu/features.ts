/** Features of a kernel's time on a processor (spec latency 2.2), and the kinds that are fitted. */
import type { Kernel } from "../kernels.ts";
import type { CpuTarget } from "../target.ts";

/** The kind that a kernel is fitted with: products by shape, elementwise functions by how dear they are. */
export function kindOf(kernel: Kernel): string {
  if (kernel.kind === "dense")
    return kernel.geometry!.vectors === 1 && kernel.geometry!.groups === 1 ? "gemm" : "matmul";
  if (kernel.kind !== "elementwise") return kernel.kind;
  const [head = ""] = kernel.name.split("+");
  const wide = kernel.elementBytes === 8 ? "64" : "";
  if (head === "Sin" || head === "Cos" || head === "Log" || head === "Exp" || head === "Pow") return `dear${wide}`;
  if (head === "Tanh" || head === "Sigmoid" || head === "Erf" || head === "Softplus") return `activation${wide}`;
  return `cheap${wide}`;
}

export const featureNames = [
  "constant",
  "macs",
  "bytesIn",
  "bytesOut",
  "bytesWeights",
  "workspace",
  "beyondL2",
  "beyondL3",
] as const;

const up = (n: number, block: number): number => Math.ceil(n / block) * block;

/** Features of one kernel for a batch; a product's lanes are padded to the SIMD width and the row tile.
 * @param padding default 16 columns, 6 rows */
export function kernelFeatures(
  kernel: Kernel,
  batch: number,
  cpu: CpuTarget["cpu"],
  padding: { readonly columns: number; readonly rows: number } = { columns: 16, rows: 6 },
): number[] {
  const { geometry } = kernel;
  const inOut = (kernel.bytesIn + kernel.bytesOut) * batch;
  const total = inOut + kernel.bytesWeights;
  let work = kernel.elementOps * batch;
  let workspace = 0;
  if (geometry) {
    const { nIn, nOut, vectors, groups } = geometry;
    work = up(nOut, padding.columns) * nIn * groups * up(batch * vectors, padding.rows);
    if (kernel.kind !== "dense") workspace = 4 * nIn * vectors * groups * batch;
  }
  return [
    1,
    work,
    kernel.bytesIn * batch,
    kernel.bytesOut * batch,
    kernel.bytesWeights,
    workspace,
    Math.max(0, total - cpu.l2),
    Math.max(0, total - cpu.l3),
  ];
}
