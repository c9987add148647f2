/** Kernels of a processor and the features of their times (spec latency 2.2). */
import { type Kernel, ortRules, tfjsRules } from "../kernels.ts";
import type { Padding } from "../measured/calibration.ts";
import { type Around, furtherResults, type KernelScheme, kindOf, nearest, paddedMacs } from "../measured/scheme.ts";
import type { CpuTarget } from "../target.ts";

/** Least rows of the calls that share coefficients. One row is a vector where more are a matrix, and many leave the caches;
 * limits lie between the batches of a calibration (1, 8, 64, 512). */
const regimes = [1, 2, 23] as const;

/** The scheme of a processor, whose kinds are told apart by the regime of the batch too (`gemm@23`): sizes of its caches decide
 * two features. */
export function cpuScheme(target: CpuTarget): KernelScheme {
  const { kindOf, ...scheme } = plainScheme(target);
  return {
    ...scheme,
    kindOf: (kernel, batch) => `${kindOf(kernel, batch)}@${regimes.findLast((least) => batch >= least) ?? 1}`,
  };
}

/** The same with one kind for all batches. */
export function plainScheme({ cpu, engine }: CpuTarget): KernelScheme {
  const isTfjs = engine.name === "tfjs";
  return {
    rules: isTfjs ? tfjsRules : ortRules,
    kindOf: isTfjs ? tfjsKind : kindOf,
    standIns,
    width: 8,
    features: (kernel, batch, padding) => kernelFeatures(kernel, batch, cpu, padding),
    around: [
      furtherResults(({ results }) => results),
      { name: "changes of shape", count: ({ views }) => views },
      crowding(cpu),
    ],
  };
}

/** TensorFlow.js computes tanh value by value, ten times as long as a sigmoid. */
function tfjsKind(kernel: Kernel): string {
  return kernel.name === "Tanh" && kernel.elementBytes === 4 ? "tanh" : kindOf(kernel);
}

/** Bytes that the engine itself touches for a kernel. */
const KERNEL_STATE = 512;

/** Kernels beyond those whose state the first cache keeps from one call to the next: each takes longer, most in ensembles of small
 * networks. Of one network after another ratios of measured to predicted grew by 15 to 20 % from one copy to eight. */
function crowding({ l1 }: CpuTarget["cpu"]): Around {
  const kept = Math.floor(l1 / KERNEL_STATE);
  return { name: `kernels beyond ${kept}`, count: (_, kernels) => Math.max(0, kernels.length - kept) };
}

/** Of a kind in a regime (or in none: one kind for all batches): the same in other regimes, larger ones first, in none, and so on
 * with the kinds that are like it. */
function standIns(name: string): readonly string[] {
  let found = known.get(name);
  if (found === undefined) known.set(name, (found = listStandIns(name)));
  return found;
}

/** A search asks for every kernel of every candidate, and there are few kinds. */
const known = new Map<string, readonly string[]>();

function listStandIns(name: string): readonly string[] {
  const [kind = "", regime] = name.split("@");
  const near = regimes.toSorted((a, b) => Number(a < Number(regime)) - Number(b < Number(regime)));
  const alike = [kind, kind.replace("64", ""), nearest[kind] ?? "cheap", "cheap"];
  return alike.flatMap((like) => (regime === undefined ? [like] : [...near.map((at) => `${like}@${at}`), like]));
}

/** Constant, work, bytes in, bytes out, bytes of weights, workspace, bytes beyond L2 and beyond L3. A product's lanes are
 * padded to the SIMD width and the row tile. */
function kernelFeatures(kernel: Kernel, batch: number, cpu: CpuTarget["cpu"], padding: Padding): number[] {
  const { geometry } = kernel;
  const inOut = (kernel.bytesIn + kernel.bytesOut) * batch;
  const total = inOut + kernel.bytesWeights;
  let work = kernel.elementOps * batch;
  let workspace = 0;
  if (geometry) {
    work = paddedMacs(geometry, batch, padding);
    if (kernel.kind !== "dense") workspace = 4 * geometry.nIn * geometry.vectors * geometry.groups * batch;
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
