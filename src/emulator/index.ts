/** The emulator: how members become one, its calibration, its file, and its use. */
export { middleOf, type OutputScale, slopeAt, toLearned } from "../data/index.ts";
export * from "./answers.ts";
export * from "./calibrated-fields.ts";
export * from "./calibration.ts";
export { believedForward, type Companion } from "./companion.ts";
export * from "./emulator-graph.ts";
export * from "./emulator.ts";
export * from "./info.ts";
export * from "./out-of-fold.ts";
export * from "./problem.ts";
export * from "./scaling.ts";
export { outOfFoldScores } from "./scores.ts";
