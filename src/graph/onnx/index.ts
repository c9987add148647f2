/** Graphs as ONNX models. */
export { readOnnx, type OnnxModel } from "./read.ts";
export { writeOnnx, type OnnxWriteOptions } from "./write.ts";
