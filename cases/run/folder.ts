/** The folder of a case that was run: its files, and its summary. Edge file: it reads the disk. */
import { mkdir, readFile, stat } from "node:fs/promises";
import { join } from "node:path";
import { FileError } from "../../src/index.ts";
import type { CaseSummary } from "./summary.ts";

/** Files of a case's folder. */
export const files = {
  runs: "runs.arrow",
  test: "test.arrow",
  emulator: "emulator.onnx",
  summary: "summary.json",
  page: "index.html",
} as const;

/** Folder of a case under another. */
export function caseFolder(parent: string, name: string): string {
  return join(parent, `case-${name}`);
}

/** The summary of a case that was run. @throws FileError if it was not, or the file is damaged */
export async function readSummary(folder: string): Promise<CaseSummary> {
  const path = join(folder, files.summary);
  let text: string;
  try {
    text = await readFile(path, "utf8");
  } catch (cause) {
    throw new FileError("FILE_MISSING", `${path}: no such file. Make it with condense cases run.`, { cause });
  }
  try {
    const summary = JSON.parse(text) as CaseSummary;
    if (typeof summary.case === "string" && typeof summary.speed === "object") return summary;
  } catch {
    // Said below.
  }
  throw new FileError("FILE_DAMAGED", `${path}: not the summary of a case. Make it again with condense cases run.`);
}

/** Makes a folder. @throws FileError where it cannot be */
export async function makeFolder(folder: string): Promise<void> {
  try {
    await mkdir(folder, { recursive: true });
  } catch (cause) {
    throw new FileError("FILE_WRITE", `${folder}: cannot make this folder. Choose another --out.`, { cause });
  }
}

/** Whether there is a file of this name. */
export async function exists(path: string): Promise<boolean> {
  return (await stat(path).catch(() => undefined)) !== undefined;
}
