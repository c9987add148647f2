/**
 * A campaign: many runs of a simulator that end as one table. Runs are done in parts; each part is kept in `OUT.parts`
 * as soon as it is done, so work that was stopped or killed goes on where it was, and the table is written at the end,
 * in the order of the runs, whatever the order in which they came. A failed run is kept, and says why.
 */
import { setMaxListeners } from "node:events";
import { OptionError } from "../errors.ts";
import { openTable, type Table } from "../data/index.ts";
import { type CheckpointStore, folderStore } from "../tasks/index.ts";

/** What is kept of some runs: plain data and typed arrays. */
export interface Part {
  /** Per run "ok", or why it failed. */
  readonly status: readonly string[];
}

/** What a campaign is, by what the user calls it: two campaigns are the same if all of it is. */
export type Identity = Readonly<Record<string, string>>;

export interface CampaignPlan<Made extends Part> {
  /** Table to write: .arrow, .parquet or .csv. */
  readonly out: string;
  readonly runs: number;
  /** Runs in a part: done at once, kept at once, and lost at most when killed. */
  readonly partSize: number;
  readonly identity: Identity;
  /**
   * What to do with parts that are beside `out` already. "resume": go on from this campaign's, refuse another's.
   * "replace": go on from this campaign's, remove another's. "restart": remove them.
   */
  readonly leftovers: "resume" | "replace" | "restart";
  /** Parts that are made at once. */
  readonly parallel: number;
  /** Makes part `index`; undefined where it was told to stop. May be aborted at any time. */
  make(index: number, signal: AbortSignal): Promise<Made | undefined>;
  /** The table in pieces, once all parts are there. */
  tables(read: (index: number) => Promise<Made>): AsyncIterable<Table>;
  /** Ends the campaign; what is done is kept. */
  readonly signal?: AbortSignal;
  /** Give up if this many runs have ended and all of them failed. Default: never. */
  readonly giveUpAfter?: number;
  readonly onProgress?: (progress: CampaignProgress) => void;
}

export interface CampaignProgress {
  readonly done: number;
  readonly runs: number;
  readonly failed: number;
  /** Of those done, how many were there already when the campaign went on. */
  readonly kept: number;
}

export interface CampaignResult {
  /** "stopped": the parts that are done are kept for the next call. "gave up": all failed, and nothing is kept. */
  readonly outcome: "made" | "stopped" | "gave up";
  /** Runs that are done. */
  readonly runs: number;
  readonly failed: number;
  /** The first run that failed, in the order of the design, counted from 1. */
  readonly firstFailure?: { readonly run: number; readonly reason: string };
}

/**
 * Does a campaign, or what is left of it.
 * @throws OptionError OPTION_CAMPAIGN if parts of another campaign are beside `out`; FileError if `out` cannot be written
 */
export async function runCampaign<Made extends Part>(plan: CampaignPlan<Made>): Promise<CampaignResult> {
  const { out, runs, partSize, onProgress = () => {} } = plan;
  const store = folderStore(`${out}.parts`);
  await claim(store, plan);
  const parts = Math.ceil(runs / partSize);
  const halt = new AbortController();
  const signal = plan.signal === undefined ? halt.signal : AbortSignal.any([plan.signal, halt.signal]);
  setMaxListeners(0, signal); // each run that is under way listens
  let done = 0;
  let failed = 0;
  let kept = 0;
  let firstFailure: CampaignResult["firstFailure"];
  let gaveUp = false;

  const count = (index: number, { status }: Made): void => {
    done += status.length;
    failed += status.filter((word) => word !== "ok").length;
    const at = status.findIndex((word) => word !== "ok");
    const run = index * partSize + at + 1;
    if (at >= 0 && (firstFailure === undefined || run < firstFailure.run))
      firstFailure = { run, reason: status[at] ?? "" };
    onProgress({ done, runs, failed, kept });
    gaveUp ||= failed === done && done >= (plan.giveUpAfter ?? Infinity);
    if (gaveUp) halt.abort();
  };
  const make = async (index: number): Promise<void> => {
    const there = (await store.read(keyOf(index))) as Made | undefined;
    if (there !== undefined) {
      kept += there.status.length;
      count(index, there);
      return;
    }
    if (signal.aborted) return;
    const made = await plan.make(index, signal);
    if (made === undefined) return;
    await store.write(keyOf(index), made);
    count(index, made);
  };
  let next = 0;
  const work = async (): Promise<void> => {
    try {
      while (next < parts && !halt.signal.aborted) await make(next++);
    } catch (error) {
      halt.abort();
      throw error;
    }
  };
  const ended = await Promise.allSettled(Array.from({ length: plan.parallel }, work));
  const fault = ended.find((end) => end.status === "rejected");
  if (done === 0) await store.clear();
  if (fault !== undefined) throw fault.reason;
  const counts = { runs: done, failed, ...(firstFailure === undefined ? {} : { firstFailure }) };
  if (gaveUp) {
    // What makes all runs fail is mended outside, and then they are worth another try.
    await store.clear();
    return { outcome: "gave up", ...counts };
  }
  if (done < runs) return { outcome: "stopped", ...counts };

  const file = await openTable(out);
  try {
    for await (const table of plan.tables(async (index) => (await store.read(keyOf(index))) as Made))
      await file.add(table);
    await file.close();
  } catch (error) {
    await file.discard();
    throw error;
  }
  await store.clear();
  return { outcome: "made", ...counts };
}

function keyOf(index: number): string {
  return `part-${String(index).padStart(6, "0")}`;
}

/** Writes down which campaign the parts belong to, or finds that they belong to this one. */
async function claim<Made extends Part>(store: CheckpointStore, plan: CampaignPlan<Made>): Promise<void> {
  const identity: Identity = { ...plan.identity, runs: String(plan.runs), "part size": String(plan.partSize) };
  const there = (await store.read("campaign")) as Identity | undefined;
  if (there !== undefined && plan.leftovers === "resume") refuseOther(plan.out, there, identity);
  if (there !== undefined && plan.leftovers !== "restart" && changed(there, identity).length === 0) return;
  await store.clear();
  await store.write("campaign", identity);
}

function changed(a: Identity, b: Identity): string[] {
  return [...new Set([...Object.keys(a), ...Object.keys(b)])].filter((key) => a[key] !== b[key]);
}

function refuseOther(out: string, there: Identity, now: Identity): void {
  const [first, ...more] = changed(there, now);
  if (first === undefined) return;
  const shown = (value: string | undefined): string =>
    value === undefined ? "nothing" : value.length > 60 ? `${value.slice(0, 57)}...` : value;
  const others = more.length === 0 ? "" : ` (and ${more.join(", ")})`;
  throw new OptionError(
    "OPTION_CAMPAIGN",
    `${out}.parts: holds runs of another campaign: its ${first} was ${shown(there[first])}, now it is ${shown(now[first])}${others}. ` +
      `Give the former command to go on with it, --restart to begin anew, or another --out.`,
  );
}
