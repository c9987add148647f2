/** The charts by name. A new one is a file and a line here. */
export * from "./corner.ts";
export * from "./coverage.ts";
export * from "./front.ts";
export * from "./images.ts";
export * from "./parity.ts";
export * from "./signals.ts";
export * from "./speedup.ts";
