/** The last stage of a fit: calibration, one graph, and what the file says of itself. */
import { dataHash } from "../data/index.ts";
import {
  believedForward,
  type CalibratedField,
  calibrateFields,
  type Companion,
  EMULATOR_VERSION,
  emulatorBytes,
  emulatorGraph,
  type EmulatorInfo,
  type MemberForward,
  type MemberPredictions,
} from "../emulator/index.ts";
import type { Rng } from "../rng.ts";
import { type SearchResult } from "../search/index.ts";
import { architectureId, compact, componentsOf, describeArchitecture, hasFields, macs } from "../space/index.ts";
import { type Ensemble, type Footing, predictRows, takeRows, type TrainingData } from "../train/index.ts";
import { version } from "../version.ts";
import { type Deployment, latencyInfo } from "./constrain.ts";
import type { Prepared } from "./prepare.ts";

/** What predictions are made of. */
interface Parts {
  readonly prepared: Prepared;
  readonly footing: Footing;
  readonly ensemble: Ensemble;
  readonly companions: readonly Companion[] | undefined;
}

/** All that training gave: what an emulator is put together from. */
export interface Trained extends Parts {
  readonly found: SearchResult;
  readonly outcome: string;
  readonly deployment: Deployment | undefined;
  /** Sentences on how the training went: budgets out of reach, outputs that are learned as something else. */
  readonly notes: readonly string[];
}

/** Calibrates the ensemble and puts the emulator together.
 * @param share the networks' share of every prediction beside processes; default: what stacking finds for each field */
export async function assemble(
  trained: Trained,
  share?: number,
): Promise<{ readonly bytes: Uint8Array; readonly info: EmulatorInfo }> {
  const { prepared, footing, found, ensemble, companions, outcome, deployment } = trained;
  const { runs, scalers, space, level, strategy } = prepared;
  const measure = outcome !== "interrupted" && (deployment?.measure ?? true);
  const fields = await calibrateEnsemble(trained, ensemble.members.length, ensemble.outdone ? 0 : share);
  const graph = emulatorGraph({
    columns: runs.d,
    inputScaler: scalers.input,
    level,
    fields,
    members: ensemble.members.map(({ architecture, weights }): MemberForward => {
      const network = compact(space, architecture);
      return (b, x) => network.forward(b, x, b.constant(weights, [network.layout.size]));
    }),
    bases: componentsOf(space),
    trends: footing.trends,
    ...(companions === undefined
      ? {}
      : { companions: companions.map((companion, head) => believedForward(companion, noiseOf(fields, head))) }),
  });
  const { distribution, best } = found.finals;
  const info: EmulatorInfo = {
    format: "condense-emulator",
    version: EMULATOR_VERSION,
    schema: runs.schema,
    level,
    calibration: fields.map(({ calibration: { quantiles, bands, networkShare = 1, heldOutCrps } }) => ({
      quantiles,
      ...(bands === undefined ? {} : { bands }),
      networkShare,
      ...(heldOutCrps === undefined ? {} : { heldOutCrps }),
    })),
    data: { hash: dataHash(runs), total: runs.report.total, used: runs.n, notes: runs.report.notes },
    fit: {
      seed: prepared.rng.seed,
      effort: prepared.effort,
      engine: prepared.engine,
      ensemble: prepared.ensemble,
      loss: prepared.loss,
      folds: prepared.folds,
      trend: footing.trend,
      weightDecay: footing.weightDecay,
      stage: ensemble.stage,
      outcome,
    },
    search: {
      strategy: strategy.name,
      source: strategy.source,
      steps: found.steps,
      outcome: found.outcome,
      spentMacs: found.spent,
      architecturesTried: new Set(found.history.records.map((record) => record.architecture)).size,
      slots: space.slots.length,
      entropyBits: distribution === null ? null : entropyBits(distribution),
      best: describeArchitecture(space, best),
    },
    members: ensemble.members.map((member) => ({
      architecture: architectureId(member.architecture),
      description: describeArchitecture(space, member.architecture),
      macs: macs(space, member.architecture),
      weights: member.weights.length,
      fitLoss: member.fitLoss,
      heldOutLoss: member.heldOutLoss,
      iterations: member.iterations,
    })),
    scores: fields.map(({ scores }) => scores),
    latency: deployment === undefined ? [] : await latencyInfo(deployment, graph, measure),
    versions: { condense: version },
  };
  return { bytes: emulatorBytes(graph, info), info };
}

/** Standard deviation of the noise of every element of a head, as calibrated. */
function noiseOf(fields: readonly CalibratedField[], head: number): number[] {
  return fields.flatMap(({ place, calibration }) => (place.head === head ? calibration.noise : []));
}

/** Below this share of every prediction, the mean over its networks is not worth training the rest of them: on the test functions
 * of duqling a share up to 0.3 moved the error by 3 % either way. */
const leastShare = 0.25;

/** Whether stacking leaves next to nothing to the first members: by the runs that these had not seen, with what the mean of
 * all members would gain already counted. Signals and images always get all their members: a process knows them by
 * principal components alone. */
export async function isOutdone(parts: Parts): Promise<boolean> {
  if (parts.companions === undefined || hasFields(parts.prepared.space)) return false;
  const fields = await calibrateEnsemble(parts, parts.prepared.members, "best");
  return fields.every(({ calibration }) => (calibration.networkShare ?? 1) < leastShare);
}

/** Numbers of all outputs that calibration looks at, at most: of large images some hundred runs tell enough. */
const mostJudged = 8e6;

/** Rows to calibrate on: all, or as many as that allows, drawn. */
function calibrationRows({ data, rng }: Prepared): Int32Array {
  const rows = Int32Array.from({ length: data.rows }, (_, i) => i);
  const most = Math.floor(mostJudged / (data.targets.reduce((sum, { length }) => sum + length, 0) / data.rows));
  return most < data.rows ? rng.fork("calibration rows").shuffle(rows).slice(0, most).sort() : rows;
}

/** @param averaged members whose mean the emulator is to be */
async function calibrateEnsemble(
  { prepared, footing, ensemble, companions: all }: Parts,
  averaged: number,
  share?: number | "best",
): Promise<readonly CalibratedField[]> {
  const { runs, scalers, space, engine, loss } = prepared;
  const rows = calibrationRows(prepared);
  const data = takeRows(prepared.data, rows);
  const learned = takeRows(footing.data, rows);
  const fresh = mixedRows(data, prepared.rng.fork("new points"));
  const members: MemberPredictions[] = [];
  for (const member of ensemble.members)
    members.push({
      ...(await predictRows(engine, space, member, rows, data, { trends: footing.trends, data: learned }, fresh)),
      unseen: (i) => rows[i] !== undefined && member.unseen(rows[i]),
    });
  const companions = all?.map((companion) => ofRows(companion, rows));
  return calibrateFields({
    schema: runs.schema,
    scalers,
    runs: data,
    members,
    averaged,
    logNoise: loss === "gaussian" ? ensemble.members.map((member) => member.logNoise) : [],
    noiseScale: footing.trends.map((trend) => trend.scale),
    ...(companions === undefined ? {} : { companions }),
    ...(share === undefined ? {} : { share }),
  });
}

/** As many new points as there are rows: every input from another row. */
function mixedRows({ x, rows, inputs }: TrainingData, rng: Rng): Float32Array {
  const out = new Float32Array(x.length);
  const order = Int32Array.from({ length: rows }, (_, row) => row);
  for (let j = 0; j < inputs; j++)
    rng.shuffle(order).forEach((row, i) => {
      out.set(x.subarray(row * inputs + j, row * inputs + j + 1), i * inputs + j);
    });
  return out;
}

/** What a companion held out, of those rows. */
function ofRows(companion: Companion, rows: Int32Array): Companion {
  const width = companion.noise.length;
  const gather = (values: Float64Array): Float64Array => {
    const out = new Float64Array(rows.length * width);
    rows.forEach((row, i) => {
      out.set(values.subarray(row * width, (row + 1) * width), i * width);
    });
    return out;
  };
  return {
    ...companion,
    heldOutMean: gather(companion.heldOutMean),
    heldOutVariance: gather(companion.heldOutVariance),
  };
}

/** Mean entropy of the slots' distributions, in bits. */
function entropyBits(distribution: readonly (readonly number[])[]): number {
  const each = distribution.map((row) => row.reduce((sum, p) => (p > 0 ? sum - p * Math.log2(p) : sum), 0));
  return each.reduce((a, c) => a + c, 0) / Math.max(1, each.length);
}
