/** An emulator in words: what its file says about itself, for people. */
import type { EmulatorInfo } from "../emulator/index.ts";
import { alignRows, showNumber, showShare } from "./text.ts";

type Input = EmulatorInfo["schema"]["inputs"][number];
type Field = EmulatorInfo["schema"]["fields"][number];

/** Rows of a list that are shown; the rest is counted. */
const MOST_ROWS = 30;

/** What is in an emulator file: schema with units and ranges, data, search, architectures and scores.
 * @param name what to call it, usually the file's path */
export function describeEmulator(info: EmulatorInfo, name = "emulator"): string {
  const { schema, data, fit, search, members } = info;
  const shares = networkShares(info);
  const mixed = shares.some((share) => share < 1);
  const ended = { complete: "", time: ", ended by the time limit", interrupted: ", interrupted: the best so far" };
  return [
    `${name}: an emulator of ${describePredictors(info)} (format ${info.version}, made by condense ${info.versions.condense ?? "of unknown version"})`,
    "",
    `Inputs (${schema.inputs.length})`,
    alignRows(cut([["name", "kind", "range", "unit"], ...schema.inputs.map(inputRow)]), [0, 1, 2, 3]),
    "",
    `Outputs (${schema.fields.length}), with the errors on held-out runs, each predicted without it; the emulator, made of all, is better`,
    alignRows(
      cut([
        ["name", "shape", "unit", "FVU", "RMSE", ...(mixed ? ["networks"] : [])],
        ...schema.fields.map((field, i) => [
          ...fieldRow(field, info.scores[i]),
          ...(mixed ? [`${Math.round(100 * shares[i]!)} %`] : []),
        ]),
      ]),
      [0, 1, 2],
    ),
    ...(mixed ? ["The rest of the prediction, beside the networks' share, is of Gaussian processes."] : []),
    ...outdone(info),
    `Intervals hold ${showShare(info.level)} of new runs inside the ranges of the inputs.`,
    "",
    `Data: ${data.used} of ${data.total} runs, sha256 ${data.hash}`,
    ...data.notes.map((note) => `  ${note}`),
    `Fit: ${fit.effort} effort, seed ${fit.seed}, ${fit.loss} loss, ${fit.folds} folds, ${fit.engine}${ended[fit.outcome as keyof typeof ended] ?? ""}`,
    `Search: ${search.strategy}, ${search.slots} slots, ${search.architecturesTried} architectures tried in ${search.steps} steps` +
      (search.entropyBits === null ? "" : `, ${showNumber(search.entropyBits, 2)} bits a slot undecided`),
    `  ${search.source}`,
    ...describeLatency(info),
    "",
    `Architectures (${members.length}; numbers are the nodes that an operation joins)`,
    ...members.map((member) => `  ${describeMember(member)}`),
    "",
  ].join("\n");
}

/** The networks' share of each output. */
function networkShares({ schema, calibration }: EmulatorInfo): number[] {
  return schema.fields.map((_, i) => calibration[i]?.networkShare ?? 1);
}

/** Whether networks have a part in any output. */
export function hasNetworks(info: EmulatorInfo): boolean {
  return networkShares(info).some((share) => share > 0);
}

/** What predicts: `8 networks`, `8 networks and Gaussian processes`, or `Gaussian processes`. */
export function describePredictors(info: EmulatorInfo): string {
  if (!hasNetworks(info)) return "Gaussian processes";
  const shares = networkShares(info);
  return `${info.members.length} networks${shares.some((share) => share < 1) ? " and Gaussian processes" : ""}`;
}

/** Where processes stand alone: what the networks lost by. */
function outdone(info: EmulatorInfo): string[] {
  const { calibration, members } = info;
  const ratios = calibration.flatMap(({ heldOutCrps: crps }) => (crps ? [crps.networks / crps.processes] : []));
  if (hasNetworks(info) || ratios.length === 0) return [];
  const [least, most] = [Math.min(...ratios), Math.max(...ratios)].map((ratio) => showNumber(ratio, 2));
  const times = least === most ? most : `${least} to ${most}`;
  return [
    `The ${members.length} networks that were trained missed held-out runs by ${times} times as much (CRPS): no part of it.`,
  ];
}

/** What the file says of its latency, a line per device. */
export function describeLatency(info: EmulatorInfo): string[] {
  return info.latency.map(({ target, batch, predictedMs, measuredMs, fits, budgetMs, meetsBudget }) => {
    const us = (ms: number): string => `${showNumber(1000 * ms, 3)} us`;
    const range = `${us(predictedMs.low)} to ${us(predictedMs.high)}`;
    const verdict =
      budgetMs === undefined ? "" : `; ${meetsBudget === true ? "keeps" : "misses"} the budget of ${us(budgetMs)}`;
    const timed =
      measuredMs === undefined ? "" : `, ${us(measuredMs.p50)} measured (95 % of calls under ${us(measuredMs.p95)})`;
    return `Latency on ${target}, ${batch} row${batch === 1 ? "" : "s"}: ${us(predictedMs.p50)} predicted (${range})${timed}${fits === false ? ", does not fit the device" : ""}${verdict}`;
  });
}

/** One member's network in words, such as `trunk: width 64, 0-1 silu, 1-2 tanh; 8962 weights`. */
export function describeMember(member: EmulatorInfo["members"][number]): string {
  const stages = new Map<string, string[]>();
  for (const part of member.description.split(", ")) {
    const slash = part.lastIndexOf("/");
    const stage = slash < 0 ? "network" : part.slice(0, slash);
    stages.set(stage, [...(stages.get(stage) ?? []), part.slice(slash + 1)]);
  }
  const parts = [...stages].map(([stage, operations]) => `${stage}: ${operations.join(", ")}`);
  return `${parts.join("; ")}; ${member.weights} weights`;
}

/** The middle of every input's range: a point to try an emulator at. */
export function examplePoint(info: EmulatorInfo): Readonly<Record<string, number | string>> {
  const varying = info.schema.inputs.filter((input) => input.constant === undefined);
  return Object.fromEntries(varying.map((input) => [input.name, middleOf(input)]));
}

function middleOf(input: Input): number | string {
  if (input.kind === "categorical") return input.levels[0] ?? "";
  const [low, high] = input.range;
  const middle = input.scale === "log" ? Math.sqrt(low * high) : (low + high) / 2;
  if (input.kind === "integer") return Math.round(middle);
  // As few digits as tell the middle from the ends.
  const digits = Math.ceil(Math.log10(Math.max(Math.abs(low), Math.abs(high)) / (high - low))) + 3;
  return Number(middle.toPrecision(Math.min(17, Math.max(3, digits))));
}

function inputRow(input: Input): string[] {
  const { constant } = input;
  const log = input.scale === "log" ? ", as its logarithm" : "";
  const warp =
    input.kind !== "categorical" && (input.warp ?? 0) !== 0
      ? `, on an axis of curvature ${showNumber(input.warp ?? 0)}`
      : "";
  const range =
    input.kind === "categorical"
      ? constant === undefined
        ? input.levels.join(" | ")
        : `always ${input.levels[constant] ?? ""}`
      : constant === undefined
        ? `${showNumber(input.range[0])} to ${showNumber(input.range[1])}${log}${warp}`
        : `always ${showNumber(constant)}`;
  return [input.name, input.kind, range, input.unit ?? ""];
}

function fieldRow(field: Field, scores: EmulatorInfo["scores"][number] | undefined): string[] {
  const shape = field.shape.length === 0 ? "scalar" : field.shape.join(" x ");
  const errors = scores === undefined ? [] : [showNumber(scores.fvu, 3), showNumber(scores.rmse, 3)];
  return [field.name, field.scale === "linear" ? shape : `${shape}, ${field.scale}`, field.unit ?? "", ...errors];
}

function cut(rows: readonly string[][]): string[][] {
  const shown = rows.slice(0, MOST_ROWS + 1);
  return rows.length > shown.length ? [...shown, [`... and ${rows.length - shown.length} more`]] : shown;
}
