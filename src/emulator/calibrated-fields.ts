/** Every field of a schema with its place, scaling, calibration and held-out scores: what the emulator's graph is made of. */
import type { FieldScaler, FieldSpec, Schema } from "../data/index.ts";
import { believedNoise } from "./believed-noise.ts";
import { calibrateField } from "./calibration.ts";
import { calibrateAlone, type Companion, stackField } from "./companion.ts";
import type { FieldCalibration } from "./emulator-graph.ts";
import type { FieldScores } from "./info.ts";
import { type FieldOutOfFold, type MemberPredictions, outOfFold } from "./out-of-fold.ts";
import { type FieldHead, type FieldPlace, planHeads } from "./problem.ts";
import type { ScaledRuns, Scalers } from "./scaling.ts";
import { outOfFoldScores } from "./scores.ts";

export interface CalibratedField {
  readonly spec: FieldSpec;
  readonly place: FieldPlace;
  readonly scaler: FieldScaler;
  readonly calibration: FieldCalibration;
  readonly scores: FieldScores;
}

export interface CalibrationInput {
  readonly schema: Schema;
  readonly scalers: Scalers;
  /** Scaled targets, trend included. */
  readonly runs: ScaledRuns;
  readonly members: readonly MemberPredictions[];
  /** Members whose mean the emulator is to be. */
  readonly averaged: number;
  /** Log noise variances that members learned, one per scalar or channel over all heads; empty where none did. */
  readonly logNoise: readonly Float32Array[];
  /** Scale per element of each head in which the noise was learned. */
  readonly noiseScale: readonly Float64Array[];
  /** One per head, where one stands beside the networks. */
  readonly companions?: readonly (Companion | undefined)[];
  /** The networks' share of every prediction beside a companion, or `"best"`: that of the least score. Default: what stacking finds for
   * each field. */
  readonly share?: number | "best";
}

/** Calibrates all fields. */
export function calibrateFields(input: CalibrationInput): readonly CalibratedField[] {
  const { schema, scalers, runs, members, averaged } = input;
  const { heads, places } = planHeads(schema);
  return schema.fields.map((spec, i) => {
    const place = places[i]!;
    const scaler = scalers.fields[i]!;
    const held = outOfFold(runs.targets[place.head]!, runs.rows, place, members);
    const companion = input.companions?.[place.head];
    const learned = noiseOf(heads, place, input.logNoise, input.noiseScale);
    const noise = learned.map((value, j) =>
      value > 0 || companion === undefined ? value : noiseBy(companion, held, runs.rows, place, j),
    );
    const { shrink, ...networks } = calibrateField({ ...held, size: place.size, members: averaged, noise });
    if (companion === undefined)
      return { spec, place, scaler, calibration: networks, scores: outOfFoldScores(spec, scaler, held) };
    const { size } = place;
    const some = (rows: readonly number[]): { readonly mean: Float64Array; readonly variance: Float64Array } => ({
      mean: partOf(companion.heldOutMean, companion.noise.length, place, rows),
      variance: partOf(companion.heldOutVariance, companion.noise.length, place, rows),
    });
    const judged = some(held.judged);
    const forced = input.share === undefined ? {} : { share: input.share };
    const stacked = stackField({ held, size, networks, shrink, noise, ...judged, ...forced });
    if (stacked.networkShare === 0) {
      // Nothing of the networks: runs that they had seen calibrate as well.
      const rows = Array.from({ length: runs.rows }, (_, row) => row);
      const target = runs.targets[place.head]!;
      const truth = partOf(target, target.length / runs.rows, place, rows);
      const whole = some(rows);
      const calibration = calibrateAlone(stacked, { truth, size, noise, ...whole });
      const scores = outOfFoldScores(spec, scaler, { truth, mean: whole.mean });
      return { spec, place, scaler, calibration, scores };
    }
    const share = stacked.networkShare ?? 1;
    const mean = held.mean.map((value, k) => share * value + (1 - share) * judged.mean[k]!);
    return { spec, place, scaler, calibration: stacked, scores: outOfFoldScores(spec, scaler, { ...held, mean }) };
  });
}

/** Standard deviation of the noise that a companion sees in one element of a field, as far as the networks bear it out. */
function noiseBy(companion: Companion, held: FieldOutOfFold, rows: number, place: FieldPlace, element: number): number {
  const column = place.start + element;
  const variance = companion.noise[column]!;
  if (variance === 0) return 0;
  const theirs = partOf(
    companion.heldOutMean,
    companion.noise.length,
    { ...place, start: column, size: 1 },
    held.judged,
  );
  const truths = held.judged.map((_, i) => held.truth[i * place.size + element]!);
  return believedNoise(variance, {
    networks: truths.map((truth, i) => truth - held.mean[i * place.size + element]!),
    companion: truths.map((truth, i) => truth - theirs[i]!),
    everyRun: held.rows === rows,
  });
}

/** A field's numbers of some rows of a head. @param values rows x width */
function partOf(
  values: Float32Array | Float64Array,
  width: number,
  { start, size }: FieldPlace,
  rows: readonly number[],
): Float64Array {
  const out = new Float64Array(rows.length * size);
  rows.forEach((row, r) => {
    out.set(values.subarray(row * width + start, row * width + start + size), r * size);
  });
  return out;
}

/** Standard deviation of the simulator's noise per element of a field, scaled; zeros where none was learned. */
function noiseOf(
  heads: readonly FieldHead[],
  place: FieldPlace,
  logNoise: readonly Float32Array[],
  scale: readonly Float64Array[],
): readonly number[] {
  const none = new Array<number>(place.size).fill(0);
  if (logNoise.some((levels) => levels.length === 0) || logNoise.length === 0) return none;
  const levels = heads.map((head) => (head.kind === "vector" ? head.size : head.channels));
  const first = levels.slice(0, place.head).reduce((a, c) => a + c, 0);
  const head = heads[place.head]!;
  const positions = head.kind === "decoder" ? place.size / head.channels : 1;
  return none.map((_, j) => {
    const at = first + (head.kind === "decoder" ? Math.floor(j / positions) : place.start);
    const mean = logNoise.reduce((sum, member) => sum + member[at]!, 0) / logNoise.length;
    return Math.exp(mean / 2) * scale[place.head]![place.start + j]!;
  });
}
