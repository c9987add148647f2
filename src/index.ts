/**
 * Condense as a library: everything that the command line, case studies and notebooks use. The verbs are `fit`, `query`,
 * `inspect`, `validate` and `compare`; the rest is what they are made of, for those who need more.
 *
 *     const { bytes } = await fit("runs.csv", { outputs: ["power"] });
 *     await writeWhole("power.onnx", bytes);
 *     const answers = await query("power.onnx", [{ height: 20, flow: 3 }]);
 */

// The verbs. Runs and points are paths, Arrow tables, data frames, columns or rows by name, or a `Table`.
export { type Deployment } from "./fit/constrain.ts";
export { fit, fitFront, fitFrontRuns, fitRuns, type FitResult } from "./fit.ts";
export type { Front, FrontOptions, FrontPoint } from "./fit/front.ts";
export { compare, type CompareOptions, compareRuns, learningCurve, learningCurveRuns } from "./compare.ts";
export { type Comparison, type MethodScores } from "./compare/comparison.ts";
export { type Contestant, type Fitted, type Predictor, type Round } from "./compare/contestant.ts";
export { type ContestantName, contestantNames, contestants } from "./compare/contestants/index.ts";
export { type LearningCurve, type MethodCurve } from "./compare/curve.ts";
export { describeComparison } from "./compare/describe.ts";
export { describeCurve } from "./compare/describe-curve.ts";
export { ensembles, type FitOptions, type FitProgress } from "./fit/options.ts";
export {
  type EmulatorLike,
  inspect,
  loadEmulator,
  loadEmulator as open,
  type LoadOptions,
  type Points,
  query,
  type QueryOptions,
  queryStream,
  validate,
  type ValidateOptions,
  validateRuns,
  type Validation,
} from "./query.ts";

// Emulators: what `loadEmulator` gives, and what their files say.
export {
  type AnswerOptions,
  type Band,
  bandChoices,
  type Cell,
  type Emulator,
  type EmulatorInfo,
  type FieldPrediction,
  type FieldScores,
  type MemberInfo,
  type OutOfRange,
  outOfRangeChoices,
  tableRecords,
} from "./emulator/index.ts";

// Scores, and emulators in words.
export {
  alignRows,
  describeEmulator,
  describeLatency,
  describeMember,
  describePredictors,
  hasNetworks,
  type FieldJudgement,
  elementFvu,
  examplePoint,
  type Judgement,
  type LevelCoverage,
  median,
  type OverallScores,
  overallScores,
  type PitTest,
  scoreField,
  type Scores,
  showNumber,
  showShare,
} from "./analysis/index.ts";

// Inference: which inputs could have given what was measured.
export {
  calibratedErrors,
  centralInterval,
  type Convergence,
  coverageCurve,
  curveLevels,
  defaultWalkers,
  drawsOf,
  emulatorModel,
  type ErrorModes,
  type ForwardModel,
  infer,
  type InferOptions,
  type KnownRun,
  type Measurement,
  physicalDraws,
  type Posterior,
  type PriorInput,
  quantileOf,
  rankOf,
  rankWithin,
  shortestInterval,
  unitOf,
} from "./analysis/index.ts";

// Charts, the pages that hold them, and pictures of them.
export {
  type Block,
  cornerFigure,
  coverageFigure,
  type Figure,
  frontFigure,
  type FrontLine,
  imagesFigure,
  label,
  type Page,
  pageHtml,
  parityFigure,
  type Picture,
  pictures,
  plotlyScript,
  signalsFigure,
  type SpeedupRow,
  speedupFigure,
} from "./report/index.ts";

// Tables: readers and writers of files, and data in memory.
export {
  type Column,
  type ColumnsLike,
  type DataFrameLike,
  encodeTable,
  makeTable,
  numberColumn,
  openTable,
  openWhole,
  readBatches,
  readTable,
  type RowsLike,
  type RunsLike,
  type RunTables,
  type Table,
  tableFrom,
  type TableFile,
  type TableLike,
  textColumn,
  toRunTables,
  toTable,
  type WholeFile,
  writerFor,
  type WriterName,
  writers,
  writeTable,
  writeWhole,
} from "./data/index.ts";

// Runs: tables sorted into inputs and fields, and how to split them.
export {
  buildRuns,
  encodeInputs,
  type FieldSpec,
  fieldSize,
  holdOut,
  type HoldOut,
  inferSchema,
  type InputSpec,
  kFolds,
  type OutputScale,
  outputScales,
  parseSchemaDraft,
  type Runs,
  type RunsReport,
  type Schema,
  type SchemaDraft,
  type Selection,
  splitNames,
  takeRuns,
  varyingInputs,
  wordsOfScale,
} from "./data/index.ts";

// Designs: where to run a simulator.
export { type Design, type DesignName, designs, latinHypercube, sobol } from "./data/index.ts";

// Campaigns: a simulator run at the points of a design, as one table of runs.
export {
  atShare,
  type CampaignPlan,
  type CampaignProgress,
  type CampaignResult,
  commandSimulator,
  designPoints,
  FIRST_RUNS,
  moduleSimulator,
  type OutputLayout,
  parseInputs,
  type Points as CampaignPoints,
  runCampaign,
  runsTable,
  showShape,
  simulate,
  type SimulateOptions,
  type SimulateResult,
  type Simulator,
  type SimulatorFunction,
  tablePoints,
} from "./campaign/index.ts";

// Search: strategies by name, or one's own.
export {
  type Constraint,
  getStrategy,
  type History,
  historyLines,
  search,
  strategies,
  type Strategy,
  type StrategyName,
} from "./search/index.ts";

// Training: how much work, which loss.
export { type Effort, efforts, losses, type LossName } from "./train/index.ts";

// Space: networks such as searches draw them, for calibrations.
export { anyNetworkGraph } from "./space/index.ts";

// Tasks: where heavy work runs, in this process or on threads, and where what is done is kept.
export {
  type CheckpointStore,
  defineTask,
  folderStore,
  inProcess,
  type TaskRef,
  type TaskRunner,
  workerPool,
} from "./tasks/index.ts";

// Engines: what runs a graph.
export { type CompileOptions, type Engine, type EngineName, engineNames, getEngine } from "./engine/index.ts";

// Hardware: targets, latency models, calibration and budgets.
export {
  calibrateCpu,
  calibrateGpu,
  type CalibrateOptions,
  calibrationPath,
  type CpuTarget,
  type GpuTarget,
  describePrediction,
  hostName,
  latencyModel,
  type LatencyPrediction,
  loadCalibrated,
  loadState,
  type MeasuredLatency,
  measureGraph,
  measureHere,
  meetsBudget,
  parseBudget,
  readGraph,
  referenceRatio,
  resolveTarget,
  runtimeVersion,
  saveJson,
  showLatency,
  type Target,
  targetHash,
  targets,
  withYardstick,
} from "./hardware/index.ts";

// Graphs: building, deriving, and ONNX in and out.
export {
  differentiate,
  type Graph,
  graphBuilder,
  type GraphBuilder,
  type NodeId,
  readOnnx,
  writeOnnx,
} from "./graph/index.ts";

// Random numbers, errors, version.
export { makeRng, type Rng } from "./rng.ts";
export * from "./errors.ts";
export { version } from "./version.ts";
