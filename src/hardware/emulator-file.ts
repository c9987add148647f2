/** The graph of an emulator file, or of any ONNX model that keeps to the graph's operations. Touches the disk. */
import { readFile } from "node:fs/promises";
import { FileError } from "../errors.ts";
import { type Graph, readOnnx, simplify } from "../graph/index.ts";

/** Reads the graph of a file, without what no result depends on.
 * @throws FileError if it cannot be read or is no model */
export async function readGraph(path: string): Promise<Graph> {
  let bytes: Uint8Array;
  try {
    bytes = await readFile(path);
  } catch (cause) {
    const why = (cause as NodeJS.ErrnoException).code === "ENOENT" ? "there is no such file" : (cause as Error).message;
    throw new FileError(
      "FILE_READ",
      `${path}: cannot be read (${why}). Give an emulator file that \`condense fit\` wrote.`,
      { cause },
    );
  }
  return simplify(readOnnx(bytes, path).graph);
}
