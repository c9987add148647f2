/** Hardware: targets, latency models, calibration and budgets. */
export {
  type AdditiveTable,
  expectedLatency,
  fitTable,
  logitGradient,
  probabilityGradient,
  tableAround,
  tableLatency,
} from "./additive.ts";
export { impossibleBudget, parseBudget, showLatency, unreachedBudget } from "./budget.ts";
export { conformalFactors, factorsFor, type IntervalFactors, type Parts, type Residuals } from "./conformal.ts";
export { calibrateCpu, referenceRatio } from "./cpu/calibrate.ts";
export { cpuModel } from "./cpu/model.ts";
export { optimisedKernels } from "./cpu/optimised.ts";
export { describePrediction } from "./describe.ts";
export { readGraph } from "./emulator-file.ts";
export { fpgaModel } from "./fpga/model.ts";
export { fnasDesign, type FnasDesign } from "./fpga/fnas-design.ts";
export { calibrateGpu } from "./gpu/calibrate.ts";
export { gpuModel } from "./gpu/model.ts";
export { type MeasuredLatency, measureHere, measureLatency, type NotMeasured } from "./here.ts";
export { fuseKernels, type Kernel } from "./kernels.ts";
export type { CalibrateOptions, CalibrationState } from "./measured/calibrate.ts";
export type { Calibration, CpuCalibration } from "./measured/calibration.ts";
export { withConstantWeights } from "./measured/constant-weights.ts";
export { measureGraph, type Measurement, type MeasureOptions } from "./measured/measure.ts";
export { calibrationPath, hostName, loadCalibrated, loadState, runtimeVersion, saveJson } from "./measured/store.ts";
export { type PredictionScores, scorePredictions } from "./metrics.ts";
export { latencyModel } from "./model.ts";
export { type Network, networkMacs, networkOf, type Operation } from "./network.ts";
export { nonNegativeLeastSquares, ridgeRegression } from "./nnls.ts";
export {
  type FpgaResources,
  type LatencyInterval,
  type LatencyModel,
  type LatencyPrediction,
  meetsBudget,
  type OperationLatency,
} from "./prediction.ts";
export { fitRegressor, type LatencyRegressor, regressorGradient, regressorLatency } from "./regressor.ts";
export { type CpuTarget, type FpgaTarget, type GpuTarget, type Target, targetHash, TARGET_VERSION } from "./target.ts";
export { parseTarget, readTarget } from "./target-file.ts";
export { getTarget, resolveTarget, targets } from "./targets/index.ts";
export { withYardstick } from "./yardstick.ts";
