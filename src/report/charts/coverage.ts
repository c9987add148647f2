/** Calibration: how often intervals of each level held the truth, against the level. */
import { axis, colours, type Figure, layout, lineColours, rounded } from "../figure.ts";

export interface CoverageOptions {
  /** Nominal levels. */
  readonly levels: readonly number[];
  /** Per curve, the share of truths inside the interval of each level. */
  readonly curves: readonly { readonly name: string; readonly coverage: readonly number[] }[];
  /** Independent runs behind the curves: the grey band is two binomial standard errors of a true level. */
  readonly runs: number;
}

/** A figure of calibration curves. Under the diagonal the emulator is too sure of itself, above it too careful. */
export function coverageFigure({ levels, curves, runs }: CoverageOptions): Figure {
  const error = levels.map((level) => 2 * Math.sqrt((level * (1 - level)) / runs));
  const edge = (sign: number): (number | null)[] =>
    rounded(levels.map((level, i) => Math.min(1, Math.max(0, level + sign * (error[i] ?? 0)))));
  const from = Math.max(
    0,
    Math.floor(10 * (Math.min(...levels, ...curves.flatMap(({ coverage }) => coverage)) - 0.02)) / 10,
  );
  const range = [from, 1.02];
  return {
    data: [
      { x: levels, y: edge(-1), mode: "lines", line: { width: 0 }, showlegend: false, hoverinfo: "skip" },
      {
        x: levels,
        y: edge(1),
        mode: "lines",
        line: { width: 0 },
        fill: "tonexty",
        fillcolor: "rgba(0,0,0,0.12)",
        name: `2 standard errors of ${runs} runs`,
        hoverinfo: "skip",
      },
      {
        x: [0, 1],
        y: [0, 1],
        mode: "lines",
        line: { color: colours.truth, width: 1, dash: "dash" },
        name: "as stated",
      },
      ...curves.map(({ name, coverage }, i) => ({
        x: levels,
        y: rounded(coverage),
        mode: "lines+markers",
        name,
        line: { color: lineColours[i % lineColours.length], width: 1.5 },
        marker: { size: 6, symbol: i % 8 },
      })),
    ],
    layout: layout(620, 460, {
      xaxis: axis("stated level", { range }),
      yaxis: axis("share of truths inside", { range }),
      legend: { x: 1.02, y: 1, yanchor: "top", traceorder: "normal", bgcolor: "rgba(255,255,255,0)" },
      margin: { l: 70, r: 20, t: 20, b: 55 },
    }),
  };
}
