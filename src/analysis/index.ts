/** What can be said of an emulator once it is there: scores on runs, and its file in words. */
export * from "./coverage.ts";
export * from "./describe.ts";
export * from "./inference/index.ts";
export * from "./scores.ts";
export * from "./text.ts";
