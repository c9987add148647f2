/** How much faster emulators are than their simulators: a row per case, on a logarithmic axis. */
import { axis, colours, type Figure, layout, logAxis, rounded, type Trace } from "../figure.ts";

/** A ratio with its quartiles. */
export interface Spread {
  readonly median: number;
  readonly low: number;
  readonly high: number;
}

export interface SpeedupRow {
  readonly name: string;
  /** Simulator's time over the emulator's, one query at a time, and per query in the best large batch. */
  readonly single: Spread;
  readonly batched: Spread;
}

/** A figure of speedups, the first row at the top. */
export function speedupFigure(rows: readonly SpeedupRow[]): Figure {
  const names = rows.map(({ name }) => name);
  const points = (pick: (row: SpeedupRow) => Spread, name: string, color: string, symbol: string): Trace => {
    const spreads = rows.map(pick);
    return {
      x: rounded(
        spreads.map(({ median }) => median),
        3,
      ),
      y: names,
      name,
      mode: "markers",
      marker: { color, size: 10, symbol },
      error_x: {
        type: "data",
        symmetric: false,
        array: rounded(
          spreads.map(({ median, high }) => high - median),
          3,
        ),
        arrayminus: rounded(
          spreads.map(({ median, low }) => median - low),
          3,
        ),
        color,
        thickness: 1.2,
        width: 4,
      },
    };
  };
  const most = Math.max(10, ...rows.flatMap(({ single, batched }) => [single.high, batched.high]));
  const least = Math.min(1, ...rows.flatMap(({ single, batched }) => [single.low, batched.low]));
  return {
    data: [
      points(({ single }) => single, "one query at a time", colours.emulator, "circle"),
      points(({ batched }) => batched, "best large batch", colours.second, "diamond"),
    ],
    layout: layout(800, 130 + 34 * rows.length, {
      xaxis: axis("simulator time / emulator time, same machine", {
        ...logAxis,
        showgrid: true,
        gridcolor: "#e5e5e5",
        range: [Math.floor(Math.log10(least)), Math.ceil(Math.log10(most) + 0.05)],
      }),
      yaxis: axis("", {
        autorange: "reversed",
        type: "category",
        range: [rows.length - 0.4, -0.6],
        showgrid: true,
        gridcolor: "#f0f0f0",
      }),
      margin: { l: 110, r: 20, t: 45, b: 55 },
    }),
  };
}
