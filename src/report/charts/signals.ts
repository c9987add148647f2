/** Truth against emulator for signals: a column per run, with the interval as a band, and the error under it. */
import {
  axis,
  colours,
  type Figure,
  isLogSpaced,
  layout,
  logAxis,
  type Panel,
  panels,
  panelTitle,
  rounded,
  spansDecades,
  type Trace,
} from "../figure.ts";

/** One run of one signal. */
export interface SignalRun {
  /** What it is, such as "median error". */
  readonly title: string;
  readonly truth: Float64Array;
  readonly mean: Float64Array;
  readonly lower: Float64Array;
  readonly upper: Float64Array;
}

export interface SignalsOptions {
  /** Coordinates along the signal. */
  readonly x: readonly number[];
  readonly xLabel: string;
  /** A row of panels per signal; runs stand in columns. */
  readonly rows: readonly { readonly label: string; readonly runs: readonly SignalRun[] }[];
  /** Level of the band. */
  readonly level: number;
}

/** A figure of signals. One signal gets a panel of errors under each run. */
export function signalsFigure({ x, xLabel, rows, level }: SignalsOptions): Figure {
  const columns = rows[0]?.runs.length ?? 0;
  const single = rows.length === 1;
  const heights = single ? [3, 1.1] : rows.map(() => 1);
  const grid = panels(new Array<number>(columns).fill(1), heights, [0.075, single ? 0.03 : 0.05]);
  const data: Trace[] = [];
  const axes: Record<string, unknown> = {};
  const annotations: unknown[] = [];
  const xAxis = isLogSpaced(x) ? logAxis : {};
  rows.forEach(({ label, runs }, i) => {
    const log = runs.every(({ truth, lower }) => spansDecades(truth) && lower.every((value) => value > 0));
    runs.forEach((run, j) => {
      const panel = grid[i]?.[j];
      if (panel === undefined) return;
      const last = !single && i === rows.length - 1;
      axes[panel.xKey] = axis(last ? xLabel : "", {
        domain: panel.xDomain,
        anchor: panel.y,
        showticklabels: last,
        ...xAxis,
      });
      axes[panel.yKey] = axis(j === 0 ? label : "", {
        domain: panel.yDomain,
        anchor: panel.x,
        ...(log ? { type: "log" } : {}),
      });
      if (i === 0) annotations.push(panelTitle(panel, run.title));
      data.push(...curves(panel, x, run, level, i === 0 && j === 0));
      const under = single ? grid[1]?.[j] : undefined;
      if (under === undefined) return;
      axes[under.xKey] = axis(xLabel, { domain: under.xDomain, anchor: under.y, matches: panel.x, ...xAxis });
      axes[under.yKey] = axis(j === 0 ? "error" : "", { domain: under.yDomain, anchor: under.x, nticks: 4 });
      data.push(...errors(under, x, run));
    });
  });
  return { data, layout: layout(1000, single ? 420 : 110 + 190 * rows.length, { ...axes, annotations }) };
}

function curves(
  { x: xaxis, y: yaxis }: Panel,
  x: readonly number[],
  run: SignalRun,
  level: number,
  first: boolean,
): Trace[] {
  const at = { x: rounded(x), xaxis, yaxis, mode: "lines", showlegend: first };
  return [
    ...band(at, run.lower, run.upper, `${Number((100 * level).toFixed(1))} % interval`, first),
    { ...at, y: rounded(run.truth), name: "simulator", line: { color: colours.truth, width: 2, simplify: false } },
    {
      ...at,
      y: rounded(run.mean),
      name: "emulator",
      line: { color: colours.emulator, width: 1.5, dash: "dash", simplify: false },
    },
  ];
}

function errors(
  { x: xaxis, y: yaxis }: Panel,
  x: readonly number[],
  { truth, mean, lower, upper }: SignalRun,
): Trace[] {
  const at = { x: rounded(x), xaxis, yaxis, mode: "lines", showlegend: false };
  const less = (values: Float64Array, from: Float64Array): Float64Array =>
    values.map((value, i) => value - (from[i] ?? Number.NaN));
  return [
    ...band(at, less(lower, mean), less(upper, mean), "interval", false),
    { ...at, y: rounded(truth.map(() => 0)), line: { color: colours.truth, width: 1 } },
    { ...at, y: rounded(less(mean, truth)), line: { color: colours.second, width: 1.2, simplify: false } },
  ];
}

function band(at: Trace, lower: Float64Array, upper: Float64Array, name: string, showlegend: boolean): Trace[] {
  const edge = { ...at, line: { width: 0, color: colours.emulator, simplify: false }, hoverinfo: "skip" };
  return [
    { ...edge, y: rounded(lower), showlegend: false },
    { ...edge, y: rounded(upper), name, fill: "tonexty", fillcolor: colours.band, showlegend },
  ];
}
