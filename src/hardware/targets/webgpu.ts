/** WebGPU on whatever adapter there is: dispatch cost dominates small networks (Maczan 2026, arXiv 2604.02344). */
import { type GpuTarget, TARGET_VERSION } from "../target.ts";

/** Vulkan, 30 us per dispatch (24 to 36 measured by others), readback 100 us, a mid-range integrated adapter. */
export const webgpuTargets: readonly GpuTarget[] = [
  {
    version: TARGET_VERSION,
    id: "webgpu",
    class: "gpu",
    description: "WebGPU through ONNX Runtime, unmeasured mid-range adapter",
    source: "dispatch times of arXiv 2604.02344; 2 TFLOP/s and 50 GB/s assumed; no measurement",
    engine: { name: "webgpu", version: "" },
    gpu: { fp32: 2e12, bw: 5e10, sm: 16, tLaunch: 3e-5, tSync: 1e-4, tFix: 2e-6, graph: false, tSubmit: 0 },
  },
];
