/** `condense validate`: scores on new runs, and a gate. */
import {
  alignRows,
  type EngineName,
  engineNames,
  loadEmulator,
  type Schema,
  showNumber,
  showShare,
  validate as validateEmulator,
  type Validation,
} from "../../index.ts";
import type { CliCommand } from "../command.ts";
import { runsAt } from "../tables.ts";
import { number, oneOf } from "../values.ts";

interface ValidateCommandOptions {
  readonly minCoverage?: number;
  readonly maxFvu?: number;
  readonly engine: EngineName;
  readonly json: boolean;
}

export const validate: CliCommand = {
  declare(command) {
    command
      .description(
        "Scores an emulator on runs it has not seen. With a gate (--min-coverage, --max-fvu) the exit code is 1 when an output fails it.",
      )
      .argument("<emulator>", "emulator file")
      .argument("<runs>", "table of runs, or of their inputs")
      .argument("[outputs]", "table of the outputs, paired with the inputs by row")
      .option("--min-coverage <share>", "gate: least coverage of every output", number("--min-coverage", 0, 1, "0.9"))
      .option("--max-fvu <fvu>", "gate: largest FVU of every output", number("--max-fvu", 0, 1e9, "0.01"))
      .option(
        "--engine <name>",
        `what runs the networks: ${engineNames.join(", ")}`,
        oneOf("--engine", engineNames),
        "onnxruntime",
      )
      .option("--json", "print one JSON document", false);
  },
  async run([path = "", runs = "", outputs], options: ValidateCommandOptions, world) {
    const { minCoverage, maxFvu, engine, json } = options;
    const emulator = await loadEmulator(path, { engine });
    try {
      const result = await validateEmulator(emulator, runsAt(runs, outputs), {
        ...(minCoverage === undefined ? {} : { minCoverage }),
        ...(maxFvu === undefined ? {} : { maxFvu }),
      });
      await world.out(
        json ? `${JSON.stringify(result, null, 2)}\n` : `${describeValidation(result, emulator.schema)}\n`,
      );
      if (result.leftOut > 0) world.err(`note: ${result.leftOut} runs left out for a missing value\n`);
      for (const failure of result.failures) world.err(`failed: ${failure}\n`);
      return result.failures.length === 0 ? 0 : 1;
    } finally {
      await emulator.dispose();
    }
  },
};

/** Outputs that are shown; the rest is counted. */
const mostRows = 40;

/** Scores as a table and a sentence; R2 and NLL are left to --json. */
export function describeValidation({ rows, level, fields, overall }: Validation, schema: Schema): string {
  const body = fields.map((field) => [
    field.field,
    schema.fields.find((each) => each.name === field.field)?.unit ?? "",
    showNumber(field.fvu, 3),
    showNumber(field.rmse, 3),
    showNumber(field.mae, 3),
    showNumber(field.bias, 2),
    showNumber(field.crps, 3),
    `${showShare(field.coverage)} ± ${showShare(field.coverageError)}`,
    showNumber(field.spearman, 2),
  ]);
  const head = ["output", "unit", "FVU", "RMSE", "MAE", "bias", "CRPS", `in ${showShare(level)}`, "rank"];
  const more = body.length > mostRows ? [[`... and ${body.length - mostRows} more`]] : [];
  return [
    alignRows([head, ...body.slice(0, mostRows), ...more], [0, 1]),
    "",
    `${rows} runs: median FVU ${showNumber(overall.fvu, 3)}; ${showShare(overall.coverage)} of all numbers inside their ${showShare(level)} interval`,
  ].join("\n");
}
