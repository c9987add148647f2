/** `condense validate`: scores on new runs, and a gate. */
import {
  alignRows,
  type EngineName,
  engineNames,
  type Judgement,
  type LevelCoverage,
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
  readonly details: boolean;
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
      .option("--details", "coverage at every level and PIT of every output, over all runs and at the edge", false)
      .option("--json", "print one JSON document", false);
  },
  async run([path = "", runs = "", outputs], options: ValidateCommandOptions, world) {
    const { minCoverage, maxFvu, engine, details, json } = options;
    const emulator = await loadEmulator(path, { engine });
    try {
      const result = await validateEmulator(emulator, runsAt(runs, outputs), {
        ...(minCoverage === undefined ? {} : { minCoverage }),
        ...(maxFvu === undefined ? {} : { maxFvu }),
      });
      const words = (): string =>
        [describeValidation(result, emulator.schema), "", describeCalibration(result, details), ""].join("\n");
      await world.out(json ? `${JSON.stringify(result, null, 2)}\n` : words());
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

/** A row of the table of levels. */
type Told = Pick<Judgement["overall"], "levels" | "pit"> & { readonly bands?: readonly LevelCoverage[] };

/** Coverage level by level, with 95 % intervals, over all runs and at the edge, and whether the stated distributions fit.
 * @param details whether for every output too */
export function describeCalibration({ rows, fields, overall, edge }: Validation, details: boolean): string {
  const share = (value: number): string => String(Number((100 * value).toFixed(1)));
  const cell = ({ coverage, low, high }: LevelCoverage): string =>
    `${share(coverage)} (${(100 * low).toFixed(0)}-${(100 * high).toFixed(0)})`;
  const body = (name: string, told: Told): string[][] => [
    [name, ...told.levels.map(cell), showNumber(told.pit.p, 2)],
    ...(told.bands === undefined ? [] : [[`  whole fields of ${name.trim()}`, ...told.bands.map(cell), ""]]),
  ];
  const part = (name: string, judgement: Pick<Judgement, "fields" | "overall">): string[][] => [
    ...body(name, judgement.overall),
    ...(details ? judgement.fields : judgement.fields.filter(({ bands }) => bands !== undefined))
      .slice(0, mostRows)
      .flatMap((field) => (details ? body(`  ${field.field}`, field) : body(field.field, field).slice(1))),
  ];
  const head = ["% inside", ...overall.levels.map(({ level }) => `in ${share(level)}`), "PIT p"];
  return [
    alignRows([
      head,
      ...part(`all ${rows} runs`, { fields, overall }),
      ...(edge === null ? [] : part(`${edge.rows} at the edge`, edge)),
    ]),
    "",
    ...(edge === null
      ? []
      : [`At the edge: ${edge.rule}; there the median FVU is ${showNumber(edge.overall.fvu, 3)}.`]),
    `PIT: ${pitWords(overall.pit)} (chi-square of one number of each run, in turn over the outputs)${worst(fields)}.`,
  ].join("\n");
}

/** The output whose stated distributions fit least, where there are several. */
function worst(fields: Validation["fields"]): string {
  const told = fields.filter(({ pit }) => !Number.isNaN(pit.p)).sort((a, b) => a.pit.p - b.pit.p);
  const [least] = told;
  return least === undefined || told.length < 2
    ? ""
    : `; the least p by output: ${showNumber(least.pit.p, 2)}, ${least.field}`;
}

/** Below this the test doubts the stated distributions. */
const doubt = 0.01;

function pitWords({ p, chiSquare, freedom }: Judgement["overall"]["pit"]): string {
  if (Number.isNaN(p)) return "too few runs to test the stated distributions";
  const test = `${showNumber(chiSquare, 3)} on ${freedom} degrees of freedom, p = ${showNumber(p, 2)}`;
  return p < doubt
    ? `truths are not where the stated distributions put them, ${test}`
    : `truths are where the stated distributions put them, ${test}`;
}
