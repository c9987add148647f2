/** Emulator against truth for scalars: a small panel each, with the stated uncertainty as error bars. */
import {
  axis,
  colours,
  type Figure,
  layout,
  panels,
  panelTitle,
  rounded,
  spansDecades,
  type Trace,
} from "../figure.ts";

/** One scalar over test runs. */
export interface ParityField {
  readonly label: string;
  readonly truth: Float64Array;
  readonly mean: Float64Array;
  readonly lower: Float64Array;
  readonly upper: Float64Array;
  /** Shown in the panel, such as "FVU 1.2e-4". */
  readonly note: string;
}

/** Runs that are shown; more are hard to see. */
const MOST_RUNS = 200;

/** A figure of scalars, at most five panels a row. */
export function parityFigure(fields: readonly ParityField[]): Figure {
  const columns = Math.min(fields.length <= 4 ? fields.length : 5, Math.max(1, fields.length));
  const rows = Math.ceil(fields.length / columns);
  const size = (1000 - 80) / Math.max(3, columns);
  const height = 110 + rows * size;
  const grid = panels(new Array<number>(columns).fill(1), new Array<number>(rows).fill(1), [
    columns > 1 ? 0.055 : 0,
    rows > 1 ? Math.min(0.2, 62 / (height - 110)) : 0,
  ]).flat();
  const data: Trace[] = [];
  const axes: Record<string, unknown> = {};
  const annotations: unknown[] = [];
  fields.forEach(({ label, truth, mean, lower, upper, note }, i) => {
    const panel = grid[i];
    if (panel === undefined) return;
    const n = Math.min(MOST_RUNS, truth.length);
    const shown = (values: Float64Array): Float64Array => values.subarray(0, n);
    const log = spansDecades(truth) && lower.every((value) => value > 0);
    const kind = log ? { type: "log" } : {};
    const first = i % columns === 0;
    const last = i + columns >= fields.length;
    axes[panel.xKey] = axis(last ? "simulator" : "", { domain: panel.xDomain, anchor: panel.y, nticks: 4, ...kind });
    axes[panel.yKey] = axis(first ? "emulator" : "", { domain: panel.yDomain, anchor: panel.x, nticks: 4, ...kind });
    annotations.push(panelTitle(panel, label), {
      text: note,
      x: panel.xDomain[0] + 0.008,
      y: panel.yDomain[1] - 6 / (height - 110),
      xref: "paper",
      yref: "paper",
      xanchor: "left",
      yanchor: "top",
      showarrow: false,
      font: { size: 10, color: "#444444" },
    });
    const [low, high] = [Math.min(...shown(truth)), Math.max(...shown(truth))];
    const away = (edge: Float64Array): Float64Array =>
      shown(mean).map((value, k) => Math.abs((edge[k] ?? Number.NaN) - value));
    const at = { xaxis: panel.x, yaxis: panel.y, showlegend: i === 0 };
    data.push(
      {
        ...at,
        x: rounded([low, high]),
        y: rounded([low, high]),
        mode: "lines",
        name: "equal",
        line: { color: colours.faint, width: 1, dash: "dash" },
      },
      {
        ...at,
        x: rounded(shown(truth)),
        y: rounded(shown(mean)),
        mode: "markers",
        name: "test runs, with their interval",
        marker: { color: colours.emulator, size: 4 },
        error_y: {
          type: "data",
          symmetric: false,
          array: rounded(away(upper)),
          arrayminus: rounded(away(lower)),
          width: 0,
          thickness: 0.8,
          color: colours.emulator,
        },
      },
    );
  });
  return {
    data,
    layout: layout(columns >= 3 ? 1000 : 80 + columns * size, height, {
      ...axes,
      annotations,
      margin: { l: 65, r: 15, t: 55, b: 50 },
    }),
  };
}
