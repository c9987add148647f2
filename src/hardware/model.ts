/** The latency model of any target. */
import { cpuModel } from "./cpu/model.ts";
import { fpgaModel } from "./fpga/model.ts";
import { gpuModel } from "./gpu/model.ts";
import type { LatencyModel } from "./prediction.ts";
import type { Target } from "./target.ts";

/** Makes the model of a target. @param ratio for a calibrated processor: how far the machine drifted, from `referenceRatio`
 * @throws EngineError if it drifted too far */
export function latencyModel(target: Target, ratio = 1): LatencyModel {
  switch (target.class) {
    case "cpu":
      return cpuModel(target, ratio);
    case "gpu":
      return gpuModel(target);
    case "fpga":
      return fpgaModel(target);
    default:
      return target satisfies never;
  }
}
