/** What can be said of an emulator once it is there: scores on runs, and its file in words. */
export * from "./calibration-curve.ts";
export * from "./chi-square.ts";
export * from "./coverage.ts";
export * from "./describe.ts";
export * from "./edge.ts";
export * from "./inference/index.ts";
export * from "./pit.ts";
export * from "./power-law.ts";
export * from "./scores.ts";
export * from "./text.ts";
export * from "./validation.ts";
