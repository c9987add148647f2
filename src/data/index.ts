/** The room of data: from files and memory to runs, splits and scaled numbers, and back to files. */
export { parseCell } from "./cells.ts";
export * from "./design/index.ts";
export * from "./encode.ts";
export * from "./fields.ts";
export * from "./files.ts";
export * from "./from.ts";
export * from "./readers/index.ts";
export * from "./output-scale.ts";
export * from "./runs.ts";
export * from "./runs-report.ts";
export * from "./scaler.ts";
export * from "./schema.ts";
export * from "./schema-file.ts";
export * from "./select.ts";
export * from "./split.ts";
export * from "./table.ts";
export * from "./warp.ts";
export * from "./writers/index.ts";
