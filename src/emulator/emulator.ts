/**
 * The emulator as it is used: loaded from its file's bytes, compiled by an engine, asked for predictions. Edge-free: the
 * bytes come from the caller.
 */
import {
  fieldSize,
  type FieldSpec,
  fromLearned,
  middleOf,
  type OutputScale,
  type Schema,
  varyingInputs,
} from "../data/index.ts";
import type { CompileOptions, Engine, Executable } from "../engine/index.ts";
import { FileError, OptionError, ShapeError } from "../errors.ts";
import { type Graph, graphBuilder, readOnnx, writeOnnx } from "../graph/index.ts";
import { type Band, quantileFactor, statistics } from "./emulator-graph.ts";
import { type EmulatorInfo, METADATA_KEY, parseInfo } from "./info.ts";

/** Predictions of one field: n x size each, row-major, in the field's unit. */
export interface FieldPrediction {
  readonly field: string;
  readonly mean: Float64Array;
  /** The emulator's own uncertainty about the noise-free simulator. */
  readonly std: Float64Array;
  /** The simulator's noise. */
  readonly noise: Float64Array;
  /** Where a new run falls at the asked level. */
  readonly lower: Float64Array;
  readonly upper: Float64Array;
}

export interface Emulator {
  readonly info: EmulatorInfo;
  readonly schema: Schema;
  readonly graph: Graph;
  /** Predicts at rows of x. @param x n x d in physical units, one column per varying input; a categorical input is the
   * index of its level; to be left alone until the answer is there   @param level of the interval; default: the file's own
   * @param band `simultaneous`: lower and upper hold whole fields of new runs at that level. Default `pointwise`
   * @throws ShapeError if x does not hold whole rows; FileError if the file is too old to know bands */
  predict(x: Float64Array, level?: number, band?: Band): Promise<readonly FieldPrediction[]>;
  dispose(): Promise<void>;
}

/** The bytes of an emulator file. */
export function emulatorBytes(graph: Graph, info: EmulatorInfo): Uint8Array {
  return writeOnnx(graph, {
    metadata: { [METADATA_KEY]: JSON.stringify(info) },
    doc: "A Condense emulator: x in physical units in, mean, std, noise, lower and upper per field out.",
  });
}

/** The graph and the metadata in a file's bytes, without compiling. @throws FileError */
export function openEmulator(
  bytes: Uint8Array,
  source: string,
): { readonly graph: Graph; readonly info: EmulatorInfo } {
  const { graph, metadata } = readOnnx(bytes, source);
  return { graph, info: parseInfo(metadata, source) };
}

/** How an emulator is opened. */
export interface OpenOptions extends CompileOptions {
  /** What to call it in messages. */
  readonly source?: string;
  /** Names of the outputs to predict; the work for the others is not done. Default: all. */
  readonly fields?: readonly string[];
}

/** Opens and compiles. @throws FileError; OptionError for `fields` that it does not have */
export async function loadEmulator(bytes: Uint8Array, engine: Engine, options: OpenOptions = {}): Promise<Emulator> {
  const { source = "emulator", fields } = options;
  const { graph, info: whole } = openEmulator(bytes, source);
  const info = fields === undefined ? whole : narrowed(whole, fields, source);
  const executable = await engine.compile(packed(graph, info.schema, source), options);
  return compiledEmulator(graph, info, executable);
}

/** What is said of some fields, in the order of the schema. */
function narrowed(info: EmulatorInfo, names: readonly string[], source: string): EmulatorInfo {
  const { schema, calibration, scores } = info;
  const known = schema.fields.map((field) => field.name);
  const strange = names.find((name) => !known.includes(name));
  if (strange !== undefined || names.length === 0)
    throw new OptionError(
      "OPTION_FIELD",
      `${source}: no output "${strange ?? ""}" to predict. Name one or more of ${known.join(", ")}.`,
    );
  return {
    ...info,
    schema: { ...schema, fields: schema.fields.filter(({ name }) => names.includes(name)) },
    calibration: calibration.filter((_, i) => names.includes(known[i]!)),
    scores: scores.filter(({ field }) => names.includes(field)),
  };
}

/** Rows of one call to the engine. Activations of many more leave the processor's caches: 100 000 rows at once took 1.2
 * to 2 times as long as 2048 at a time. */
const ROWS_PER_CALL = 2048;

/** The name of the one result of {@link packed}. */
const PACKED = "all";

/** The graph with its results side by side in one, N x (statistics x elements of all fields): ONNX Runtime takes 4 us to
 * hand over a result, and a table of 30 scalars has 150. */
function packed(graph: Graph, schema: Schema, source: string): Graph {
  const b = graphBuilder(graph);
  const results = new Map(graph.outputs.map(({ name, node }) => [name, node]));
  const parts = statistics.flatMap((statistic) =>
    schema.fields.map((field) => {
      const name = `${field.name}_${statistic}`;
      const node = results.get(name);
      if (node === undefined)
        throw new FileError(
          "FILE_DAMAGED",
          `${source}: its graph has no result "${name}". Fit it again, or copy it anew.`,
        );
      return b.reshape(node, ["N", fieldSize(field)]);
    }),
  );
  return b.build({ [PACKED]: b.concat(parts, 1) });
}

function compiledEmulator(graph: Graph, info: EmulatorInfo, executable: Executable): Emulator {
  const { schema } = info;
  const width = varyingInputs(schema).length;
  const sizes = schema.fields.map(fieldSize);
  let feed = new Float64Array(0);
  /** Predicts some rows into `predictions`, from row `at` on. */
  const predictInto = async (predictions: readonly FieldPrediction[], x: Float64Array, at: number): Promise<void> => {
    // The same buffer again spares the executable from preparing a call.
    if (feed.length !== x.length) feed = new Float64Array(x.length);
    feed.set(x);
    const rows = x.length / width;
    const { [PACKED]: all } = await executable.run({ x: feed }, { rows });
    unpackInto(predictions, all as Float64Array, sizes, at, rows);
  };
  const predict = async (x: Float64Array): Promise<readonly FieldPrediction[]> => {
    const rows = x.length / width;
    const predictions = schema.fields.map((field) => emptyPrediction(field, rows));
    for (let at = 0; at < rows; at += ROWS_PER_CALL)
      await predictInto(predictions, x.subarray(at * width, (at + ROWS_PER_CALL) * width), at);
    return predictions;
  };
  // An executable runs one thing at a time.
  let last: Promise<unknown> = Promise.resolve();
  return {
    info,
    schema,
    graph,
    predict(x, level = info.level, band = "pointwise") {
      if (!Number.isInteger(x.length / width))
        return Promise.reject(
          new ShapeError(
            "SHAPE_INPUT",
            `x holds ${x.length} numbers, not a multiple of the emulator's ${width} inputs.`,
          ),
        );
      const mine = last.then(() => predict(x));
      last = mine.catch(() => undefined);
      return mine.then((predictions) => atLevel(info, predictions, level, band));
    },
    dispose: () => executable.dispose(),
  };
}

function emptyPrediction(field: FieldSpec, rows: number): FieldPrediction {
  const make = (): Float64Array => new Float64Array(rows * fieldSize(field));
  return { field: field.name, mean: make(), std: make(), noise: make(), lower: make(), upper: make() };
}

/** Takes packed results apart. @param all the results of `rows` rows   @param sizes elements of each field
 * @param at the row of `predictions` that the first of them is */
function unpackInto(
  predictions: readonly FieldPrediction[],
  all: Float64Array,
  sizes: readonly number[],
  at: number,
  rows: number,
): void {
  const stride = all.length / rows;
  let column = 0;
  for (const statistic of statistics)
    predictions.forEach((prediction, f) => {
      const values = prediction[statistic];
      const size = sizes[f]!;
      for (let i = 0; i < rows; i++)
        for (let j = 0; j < size; j++) values[(at + i) * size + j] = all[i * stride + column + j]!;
      column += size;
    });
}

/**
 * Predictions as `predict` gives them at the file's level, with the intervals of another level, or with bands.
 * @param predictions kept as they are   @throws FileError if the file is too old to know bands
 */
export function atLevel(
  info: EmulatorInfo,
  predictions: readonly FieldPrediction[],
  level: number,
  band: Band = "pointwise",
): readonly FieldPrediction[] {
  return predictions.map((prediction, i) => {
    const calibration = info.calibration[i];
    const field = info.schema.fields[i];
    if (calibration === undefined || field === undefined) return prediction;
    const { quantiles, bands } = calibration;
    const simultaneous = band === "simultaneous" && fieldSize(field) > 1;
    if (simultaneous && bands === undefined)
      throw new FileError(
        "FILE_NO_BANDS",
        `the emulator's file has no simultaneous bands for "${field.name}": it was made by an older Condense. Fit it again with this one, or ask for pointwise intervals.`,
      );
    const wanted = quantileFactor({ quantiles: simultaneous && bands !== undefined ? bands : quantiles }, level);
    const own = quantileFactor({ quantiles }, info.level);
    return wanted === own || own === 0 ? prediction : widened(prediction, own, wanted, field.scale);
  });
}

/** The interval made wider by a factor: about its own middle, on the scale the field was learned on. */
function widened(prediction: FieldPrediction, own: number, wanted: number, scale: OutputScale): FieldPrediction {
  const ratio = wanted / own;
  const lower = Float64Array.from(prediction.lower);
  const upper = Float64Array.from(prediction.upper);
  for (let i = 0; i < lower.length; i++) {
    const [middle, half] = middleOf(
      scale,
      { lower: lower[i]!, upper: upper[i]!, mean: prediction.mean[i]!, std: prediction.std[i]! },
      own,
    );
    lower[i] = fromLearned(scale, middle - ratio * half);
    upper[i] = fromLearned(scale, middle + ratio * half);
  }
  return { ...prediction, lower, upper };
}
