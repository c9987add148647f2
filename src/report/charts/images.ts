/** Truth, emulator, error and stated uncertainty of images: a row per run. */
import { axis, type Figure, isLogSpaced, layout, logAxis, panels, panelTitle, rounded, type Trace } from "../figure.ts";

/** One run of one image, row-major. */
export interface ImageRun {
  readonly title: string;
  readonly truth: Float64Array;
  readonly mean: Float64Array;
  readonly std: Float64Array;
}

export interface ImagesOptions {
  readonly runs: readonly ImageRun[];
  /** Coordinates of the columns and of the rows, and what they are. */
  readonly x: readonly number[];
  readonly y: readonly number[];
  readonly xLabel: string;
  readonly yLabel: string;
  /** The quantity, with its unit. */
  readonly label: string;
  /** Whether a step along x is as long as one along y. */
  readonly square: boolean;
}

/** Blue under, white at, red over 0. */
const diverging = [
  [0, "#2166AC"],
  [0.25, "#92C5DE"],
  [0.5, "#FFFFFF"],
  [0.75, "#F4A582"],
  [1, "#B2182B"],
] as const;

/** Width of a panel in pixels, and the least and most of its height. */
const PANEL = { width: 165, least: 90, most: 190 } as const;

/** Pixels between rows. */
const GAP = 24;

const titles = ["simulator", "emulator", "emulator - simulator", "stated std"] as const;

/** A figure of images. Simulator and emulator of a run share their colours; so do the errors of all runs, and the
 * uncertainties. */
export function imagesFigure({ runs, x, y, xLabel, yLabel, label, square }: ImagesOptions): Figure {
  const shape = square ? Math.abs(length(y) / length(x)) : 1;
  const height = runs.length * (Math.min(PANEL.most, Math.max(PANEL.least, PANEL.width * shape)) + GAP) - GAP;
  const grid = panels([1, 1, 1, 1], new Array<number>(runs.length).fill(1), [0.075, GAP / height]);
  const rows = (values: Float64Array): (number | null)[][] =>
    y.map((_, i) => rounded(values.subarray(i * x.length, (i + 1) * x.length), 4));
  const data: Trace[] = [];
  const axes: Record<string, unknown> = {};
  const annotations: unknown[] = [];
  runs.forEach((run, i) => {
    const error = run.mean.map((value, k) => value - (run.truth[k] ?? Number.NaN));
    const most = error.reduce((all, value) => Math.max(all, Math.abs(value)), 0) || 1;
    const [low, high] = extent([run.truth, run.mean]);
    const top = extent([run.std])[1] || 1;
    const images = [
      { z: run.truth, colorscale: "Viridis", zmin: low, zmax: high },
      { z: run.mean, colorscale: "Viridis", zmin: low, zmax: high },
      { z: error, colorscale: diverging, zmin: -most, zmax: most },
      { z: run.std, colorscale: "Viridis", zmin: 0, zmax: top },
    ];
    images.forEach(({ z, ...scale }, j) => {
      const panel = grid[i]?.[j];
      if (panel === undefined) return;
      const last = i === runs.length - 1;
      axes[panel.xKey] = axis(last ? xLabel : "", {
        domain: panel.xDomain,
        anchor: panel.y,
        showticklabels: last,
        nticks: 5,
        constrain: "domain",
        ...(isLogSpaced(x) ? logAxis : {}),
      });
      axes[panel.yKey] = axis(j === 0 ? `${run.title}<br>${yLabel}` : "", {
        domain: panel.yDomain,
        anchor: panel.x,
        showticklabels: j === 0,
        nticks: 5,
        constrain: "domain",
        ...(square ? { scaleanchor: panel.x } : {}),
        ...(isLogSpaced(y) ? logAxis : {}),
      });
      if (i === 0) annotations.push(panelTitle(panel, titles[j] ?? ""));
      data.push({
        type: "heatmap",
        x: rounded(x),
        y: rounded(y),
        z: rows(z),
        ...Object.fromEntries(Object.entries(scale).map(([k, v]) => [k, typeof v === "number" ? rounded([v])[0] : v])),
        xaxis: panel.x,
        yaxis: panel.y,
        showscale: true,
        colorbar: {
          x: panel.xDomain[1] + 0.004,
          y: (panel.yDomain[0] + panel.yDomain[1]) / 2,
          len: panel.yDomain[1] - panel.yDomain[0],
          lenmode: "fraction",
          thickness: 8,
          outlinewidth: 0.5,
          ticks: "inside",
          nticks: 5,
          tickfont: { size: 9 },
          exponentformat: "power",
        },
      });
    });
  });
  return {
    data,
    layout: layout(1000, 115 + height, {
      ...axes,
      annotations,
      showlegend: false,
      title: { text: label, font: { size: 13 }, x: 0.01, xanchor: "left", y: 0.99, yanchor: "top" },
      margin: { l: 90, r: 60, t: 60, b: 55 },
    }),
  };
}

function length(coordinates: readonly number[]): number {
  return (coordinates.at(-1) ?? 1) - (coordinates[0] ?? 0);
}

function extent(parts: readonly Float64Array[]): readonly [number, number] {
  let [low, high] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
  for (const values of parts)
    for (const value of values) {
      low = Math.min(low, value);
      high = Math.max(high, value);
    }
  return [low, high];
}
