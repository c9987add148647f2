/** `condense query`: predictions at one point, at the rows of a table, or at those of standard input. */
import {
  alignRows,
  type Band,
  bandChoices,
  type Emulator,
  type EngineName,
  engineNames,
  fieldSize,
  loadEmulator,
  openTable,
  OptionError,
  type OutOfRange,
  outOfRangeChoices,
  query as queryEmulator,
  type QueryOptions,
  queryStream,
  showNumber,
  showShare,
  type Table,
  tableRecords,
  writers,
} from "../../index.ts";
import type { CliCommand } from "../command.ts";
import { number, oneOf, point } from "../values.ts";
import type { World } from "../world.ts";

interface QueryCommandOptions {
  readonly at?: Readonly<Record<string, string>>;
  readonly interval?: number;
  readonly band: Band;
  readonly outOfRange: OutOfRange;
  readonly out?: string;
  readonly engine: EngineName;
  readonly json: boolean;
}

export const query: CliCommand = {
  declare(command) {
    command
      .description(
        "Predicts at one point (--at), or at every row of a table or of standard input, in constant memory: mean, std of the emulator, noise of the simulator, and an interval per output.",
      )
      .argument("<emulator>", "emulator file")
      .argument("[points]", "table of inputs (default: standard input)")
      .option("--at <point>", "one point, such as te=200,ne=1e19", point)
      .option(
        "--interval <share>",
        "level of the intervals (default: the file's)",
        number("--interval", 0.01, 0.999, "0.9"),
      )
      .option(
        "--band <kind>",
        `what an interval holds of a new run: each number (${bandChoices[0]}), or the whole field (${bandChoices[1]})`,
        oneOf("--band", bandChoices),
        bandChoices[0],
      )
      .option(
        "--out-of-range <what>",
        `inputs outside the training range: ${outOfRangeChoices.join(", ")}`,
        oneOf("--out-of-range", outOfRangeChoices),
        "warn",
      )
      .option("--out <file>", "write to .csv, .arrow or .parquet instead of standard output")
      .option(
        "--engine <name>",
        `what runs the networks: ${engineNames.join(", ")}`,
        oneOf("--engine", engineNames),
        "onnxruntime",
      )
      .option("--json", "print one JSON document", false);
  },
  async run([path = "", points], options: QueryCommandOptions, world) {
    const { at, interval, band, outOfRange, out, engine, json } = options;
    if (at !== undefined && points !== undefined)
      throw new OptionError("OPTION_AT", "--at and a table of points exclude each other. Leave one out.");
    if (at === undefined && points === undefined && !world.isPiped)
      throw new OptionError(
        "OPTION_POINTS",
        "no points: name a table, pipe one in, or give one point with --at name=value,...",
      );
    const common: QueryOptions = {
      band,
      outOfRange,
      ...(interval === undefined ? {} : { interval }),
      onWarning: (message) => {
        world.err(`warning: ${message}\n`);
      },
    };
    const emulator = await loadEmulator(path, { engine });
    try {
      const level = interval ?? emulator.info.level;
      if (at !== undefined && out === undefined && !json) {
        await world.out(readable(emulator, await queryEmulator(emulator, { at }, common), level));
        return 0;
      }
      const batches = queryStream(emulator, at === undefined ? (points ?? world.stdin) : { at }, common);
      if (out !== undefined) {
        const rows = await writeAll(out, batches, world);
        world.err(`${out}: ${rows} ${rows === 1 ? "row" : "rows"}\n`);
      } else if (json) await streamJson(batches, level, world);
      else await streamCsv(batches, world);
      return 0;
    } finally {
      await emulator.dispose();
    }
  },
};

async function writeAll(out: string, tables: AsyncIterable<Table>, world: World): Promise<number> {
  const file = await openTable(out);
  const stopListening = world.onInterrupt(() => {
    void file.discard().then(() => {
      world.exit(130);
    });
  });
  let rows = 0;
  try {
    for await (const table of tables) {
      await file.add(table);
      rows += table.rows;
    }
    await file.close();
  } catch (error) {
    await file.discard();
    throw error;
  } finally {
    stopListening();
  }
  return rows;
}

async function streamCsv(batches: AsyncIterable<Table>, world: World): Promise<void> {
  const encoder = writers.csv.encoder();
  const decoder = new TextDecoder();
  for await (const batch of batches) await world.out(decoder.decode(await encoder.add(batch)));
}

/** One JSON document, written batch by batch. */
async function streamJson(batches: AsyncIterable<Table>, level: number, world: World): Promise<void> {
  let first = true;
  for await (const batch of batches) {
    if (first) {
      const units = batch.columns.flatMap(({ name, unit }) =>
        unit === undefined ? [] : [[name.replace(/\[[\d,]+\]$/, ""), unit] as const],
      );
      await world.out(`{"level":${level},\n"units":${JSON.stringify(Object.fromEntries(units))},\n"rows":[`);
    }
    const rows = tableRecords(batch).map((record) => JSON.stringify(record));
    await world.out(`${first ? "\n" : ",\n"}${rows.join(",\n")}`);
    first = false;
  }
  await world.out("\n]}\n");
}

/** Elements of a field that are shown. */
const mostElements = 12;

/** One point as a table for people. */
function readable(emulator: Emulator, table: Table, level: number): string {
  const columns = new Map(table.columns.map((column) => [column.name, column]));
  const value = (name: string): number => Number(columns.get(name)?.values[0]);
  const noisy = table.columns.some(({ name, values }) => /_noise(\[|$)/.test(name) && Number(values[0]) > 0);
  const rows: string[][] = [
    ["output", "unit", "mean", "std", ...(noisy ? ["noise"] : []), "interval", showShare(level)],
  ];
  for (const field of emulator.schema.fields) {
    const size = fieldSize(field);
    const shown = Math.min(size, mostElements);
    for (let k = 0; k < shown; k++) {
      const index = indexOf(shown === 1 ? 0 : Math.round((k * (size - 1)) / (shown - 1)), field.shape);
      const element = field.shape.length === 0 ? "" : `[${index.join(",")}]`;
      const of = (statistic: string, digits: number): string =>
        showNumber(value(`${field.name}_${statistic}${element}`), digits);
      const where = index.flatMap((i, axis) => {
        const coordinate = field.coordinates?.[axis];
        const position = coordinate?.values[i];
        return position === undefined ? [] : [`${coordinate?.name ?? `axis ${axis}`} ${showNumber(position)}`];
      });
      rows.push([
        `${field.name}${element}${where.length === 0 ? "" : ` at ${where.join(", ")}`}`,
        field.unit ?? "",
        of("mean", 6),
        `± ${of("std", 2)}`,
        ...(noisy ? [`± ${of("noise", 2)}`] : []),
        of("lower", 6),
        `to ${of("upper", 6)}`,
      ]);
    }
    if (shown < size) rows.push([`  (${shown} of ${size} elements; --json or --out gives all)`]);
  }
  return `${alignRows(rows, [0, 1])}\n`;
}

/** The index along each axis of an element. */
function indexOf(flat: number, shape: readonly number[]): number[] {
  let rest = flat;
  return shape
    .toReversed()
    .map((extent) => {
      const index = rest % extent;
      rest = Math.floor(rest / extent);
      return index;
    })
    .reverse();
}
