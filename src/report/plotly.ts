/** The text of Plotly's script, to put into pages. Edge file: it reads the package. */
import { readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { InternalError } from "../errors.ts";

/** @throws InternalError where the package is not there or not whole */
export async function plotlyScript(): Promise<string> {
  try {
    return await readFile(createRequire(import.meta.url).resolve("plotly.js-dist-min"), "utf8");
  } catch (cause) {
    throw new InternalError("the package plotly.js-dist-min cannot be read; npm install puts it there", { cause });
  }
}
