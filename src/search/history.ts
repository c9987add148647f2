/** The append-only record of a search: every figure is drawn from it, and replaying configuration and seed writes it
 * again byte for byte on one machine (spec 1). */

export type SearchEvent = "proposed" | "pruned" | "trained" | "evaluated" | "updated" | "final";

export interface HistoryRecord {
  /** Position in the history. */
  readonly t: number;
  readonly strategy: string;
  readonly seed: number;
  readonly architecture: string;
  readonly event: SearchEvent;
  readonly trainLoss?: number;
  readonly valLoss?: number;
  /** In the unit of the latency model. */
  readonly latency?: number;
  /** Multiply-accumulates of one forward row. */
  readonly macs?: number;
  /** Multiply-accumulates spent so far. */
  readonly costSoFar: number;
  readonly reason?: string;
}

export interface History {
  readonly records: readonly HistoryRecord[];
  append(record: Omit<HistoryRecord, "t">): void;
}

/** A history, empty or going on from earlier records. */
export function makeHistory(records: readonly HistoryRecord[] = []): History {
  const all = [...records];
  return {
    records: all,
    append(record) {
      all.push({ t: all.length, ...record });
    },
  };
}

/** One JSON document per line. */
export function historyLines(history: History): string {
  return history.records.map((record) => `${JSON.stringify(record)}\n`).join("");
}
