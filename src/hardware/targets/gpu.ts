/** Graphics processors in datasheet mode (spec latency 3): peak rates of the vendor's data sheets, CUDA launch defaults. */
import { type GpuTarget, TARGET_VERSION } from "../target.ts";

type Row = readonly [name: string, description: string, teraflops: number, gigabytesPerSecond: number, sm: number];

const rows: readonly Row[] = [
  ["gtx-1080-ti", "NVIDIA GTX 1080 Ti", 11.3, 484, 28],
  ["rtx-2080-ti", "NVIDIA RTX 2080 Ti", 13.4, 616, 68],
  ["titan-rtx", "NVIDIA Titan RTX", 16.3, 672, 72],
  ["rtx-3090", "NVIDIA RTX 3090", 35.6, 936, 82],
  ["rtx-4090", "NVIDIA RTX 4090", 82.6, 1008, 128],
  ["t4", "NVIDIA T4", 8.1, 320, 40],
  ["v100", "NVIDIA V100 SXM2", 15.7, 900, 80],
  ["a100", "NVIDIA A100 40 GB", 19.5, 1555, 108],
  ["h100", "NVIDIA H100 SXM", 67, 3350, 132],
  ["h200", "NVIDIA H200 SXM", 67, 4800, 132],
];

/** CUDA: launch 5 us (4 to 6 measured by others), synchronisation 10 us, 2 us fixed per kernel. */
export const gpuTargets: readonly GpuTarget[] = rows.map(([name, description, teraflops, gigabytes, sm]) => ({
  version: TARGET_VERSION,
  id: `gpu:${name}`,
  class: "gpu",
  description,
  source: "data sheet of the vendor; launch times of the literature; no measurement",
  engine: { name: "cuda", version: "" },
  gpu: {
    fp32: teraflops * 1e12,
    bw: gigabytes * 1e9,
    sm,
    tLaunch: 5e-6,
    tSync: 1e-5,
    tFix: 2e-6,
    graph: false,
    tSubmit: 0,
  },
}));
