/** What a command's column options say about the tables it names. */
import type { Command } from "commander";
import { FileError, parseSchemaDraft, type RunsLike, type Selection } from "../index.ts";
import { collect, list } from "./values.ts";
import type { World } from "./world.ts";

export interface ColumnOptions {
  readonly inputs?: readonly string[];
  readonly outputs?: readonly string[];
  readonly field?: readonly string[];
  readonly schema?: string;
}

/** Declares the runs and the options that say which columns they have. */
export function declareRuns(command: Command): Command {
  return command
    .argument("<runs>", "table of runs, or of their inputs")
    .argument("[outputs]", "table of the outputs, paired with the inputs by row")
    .option("--inputs <names>", "input columns, with commas; * and ? match", list)
    .option("--outputs <names>", "output columns or fields, with commas; * and ? match", list)
    .option("--field <name=columns:shape>", "group columns into a field, such as 'map=c*:22x38' (may repeat)", collect)
    .option("--schema <file>", "JSON file that says all of this, with units and coordinates");
}

/** The paths of one table, or of two that are paired by row. */
export function runsAt(runs: string, outputs: string | undefined): RunsLike {
  return outputs === undefined ? runs : { inputs: runs, outputs };
}

/** @throws FileError, DataError for a schema that is not there or not understood */
export async function readSelection(options: ColumnOptions, world: World): Promise<Selection> {
  const { inputs, outputs, field, schema } = options;
  return {
    ...(inputs === undefined ? {} : { inputs }),
    ...(outputs === undefined ? {} : { outputs }),
    ...(field === undefined ? {} : { fields: field }),
    ...(schema === undefined ? {} : { schema: parseSchemaDraft(await readSchema(schema, world), schema) }),
  };
}

async function readSchema(path: string, world: World): Promise<string> {
  try {
    return await world.files.readText(path);
  } catch (cause) {
    throw new FileError("FILE_MISSING", `${path}: no such schema file, or it cannot be read. Check the path.`, {
      cause,
    });
  }
}
