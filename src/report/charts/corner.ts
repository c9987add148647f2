/** Posteriors of several inputs: marginals on the diagonal, pairs with 68 % and 95 % contours below it. */
import { quantileOf } from "../../analysis/index.ts";
import { density1, density2 } from "../density.ts";
import {
  axis,
  colours,
  type Figure,
  label,
  layout,
  logAxis,
  type Panel,
  panels,
  rounded,
  type Trace,
} from "../figure.ts";

export interface CornerInput {
  readonly name: string;
  readonly unit?: string;
  /** The prior's range; drawn as far as the posterior goes. */
  readonly low: number;
  readonly high: number;
  readonly scale: "linear" | "log";
  /** The value that the measurement was made with. */
  readonly truth?: number;
}

export interface CornerOptions {
  readonly inputs: readonly CornerInput[];
  /** At most two: the emulator's posterior, and another to compare. Draws per input, in its unit. */
  readonly posteriors: readonly { readonly name: string; readonly draws: readonly Float64Array[] }[];
}

const styles = [
  { line: colours.emulator, fill: colours.band },
  { line: colours.second, fill: colours.secondBand },
] as const;

/** A corner plot. Black lines are the truth. */
export function cornerFigure({ inputs, posteriors }: CornerOptions): Figure {
  const d = inputs.length;
  const size = Math.min(1000, 150 + Math.max(150, 850 / Math.max(d, 3)) * d);
  const even = new Array<number>(d).fill(1);
  const grid = panels(even, even, [0.18 / (d + 6), 0.18 / (d + 6)]);
  const scales = inputs.map((input, j) =>
    scaleOf(
      input,
      posteriors.map(({ draws }) => draws[j] ?? new Float64Array()),
    ),
  );
  const data: Trace[] = [];
  const axes: Record<string, unknown> = {};
  for (let i = 0; i < d; i++)
    for (let j = 0; j <= i; j++) {
      const panel = grid[i]?.[j];
      const [across, down] = [scales[j], scales[i]];
      if (panel === undefined || across === undefined || down === undefined) continue;
      const bottom = i === d - 1;
      axes[panel.xKey] = axis(bottom ? across.label : "", {
        ...side(panel.xDomain, panel.y, across),
        showticklabels: bottom,
      });
      if (i === j) {
        axes[panel.yKey] = axis("", {
          domain: panel.yDomain,
          anchor: panel.x,
          range: [0, 1.12],
          showticklabels: false,
          ticks: "",
          mirror: true,
        });
        data.push(...marginals(panel, across, posteriors, i === 0));
      } else {
        axes[panel.yKey] = axis(j === 0 ? down.label : "", {
          ...side(panel.yDomain, panel.x, down),
          showticklabels: j === 0,
        });
        data.push(...pairs(panel, across, down, posteriors.length));
      }
    }
  return { data, layout: layout(size, size, { ...axes, margin: { l: 80, r: 20, t: 40, b: 70 } }) };
}

/** An input as it is drawn: on a logarithmic axis where its range spans a decade, else large and small numbers in
 * units of a power of ten. */
interface Scale {
  readonly label: string;
  readonly log: boolean;
  /** Shown range, and draws per posterior, as drawn: their log10 on a logarithmic axis. */
  readonly range: readonly [number, number];
  readonly draws: readonly Float64Array[];
  readonly truth: number | undefined;
  /** Whether the prior cuts the range off, at either end. */
  readonly cut: readonly [boolean, boolean];
}

/** A logarithmic axis is one where the largest draw is so many times the least. */
const leastLogSpan = 10;
/** From so many on only powers of ten are labelled: what stands between would run into them. */
const leastDecades = 2;
/** Numbers of such powers of ten stand on an axis as they are. */
const plainPowers = { least: -2, most: 3 } as const;

function scaleOf({ name, unit = "", low, high, scale, truth }: CornerInput, draws: readonly Float64Array[]): Scale {
  const sorted = draws.map((each) => each.slice().sort());
  const ends = [
    ...sorted.map((each) => [quantileOf(each, 0.002), quantileOf(each, 0.998)] as const),
    ...(truth === undefined ? [] : [[truth, truth] as const]),
  ];
  const least = Math.min(...ends.map(([from]) => from));
  const most = Math.max(...ends.map(([, to]) => to));
  const log = scale === "log" && most / least > leastLogSpan;
  const exponent = Math.floor(Math.log10(Math.max(Math.abs(least), Math.abs(most)) || 1));
  const power = log || (exponent >= plainPowers.least && exponent <= plainPowers.most) ? 0 : exponent;
  const on = (value: number): number => (log ? Math.log10(value) : value / 10 ** power);
  const pad = 0.12 * (on(most) - on(least)) || 1e-6;
  const [from, to] = [on(least) - pad, on(most) + pad];
  return {
    label: label(name, power === 0 ? unit : `10^${power} ${unit}`.trim()),
    log,
    range: [Math.max(on(low), from), Math.min(on(high), to)],
    cut: [from < on(low), to > on(high)],
    draws: draws.map((each) => each.map(on)),
    truth: truth === undefined ? undefined : on(truth),
  };
}

function side(domain: readonly [number, number], anchor: string, scale: Scale): Trace {
  const range = rounded(widened(scale), 6);
  const [low, high] = scale.range;
  const kind = !scale.log ? {} : high - low >= leastDecades ? logAxis : { type: "log" };
  return { domain, anchor, range, nticks: 5, tickangle: 0, ...kind };
}

/** A little more than the range where the prior ends: that shows, and its label does not run into the next panel's. */
function widened({ range: [low, high], cut }: Scale): Float64Array {
  const pad = 0.06 * (high - low);
  return Float64Array.of(cut[0] ? low - pad : low, cut[1] ? high + pad : high);
}

/** Values on an axis of this scale. */
function shown({ log }: Scale, values: Float64Array): (number | null)[] {
  return rounded(log ? values.map((value) => 10 ** value) : values);
}

function marginals(
  { x: xaxis, y: yaxis }: Panel,
  scale: Scale,
  posteriors: CornerOptions["posteriors"],
  first: boolean,
): Trace[] {
  const curves = posteriors.map(({ name }, k) => {
    const { at, density } = density1(scale.draws[k] ?? new Float64Array(), ...scale.range);
    return {
      x: shown(scale, at),
      y: rounded(density, 4),
      xaxis,
      yaxis,
      mode: "lines",
      name,
      legendgroup: name,
      showlegend: first,
      line: { color: styles[k]?.line, width: 1.5, dash: k === 0 ? "solid" : "dash" },
      fill: "tozeroy",
      fillcolor: k === 0 ? styles[0].fill : "rgba(0,0,0,0)",
    };
  });
  return [...curves, ...truthLine(scale, { xaxis, yaxis, y: [0, 1.12] }, "x", first)];
}

function pairs({ x: xaxis, y: yaxis }: Panel, across: Scale, down: Scale, count: number): Trace[] {
  const contours = Array.from({ length: count }, (_, k) => {
    const [xs, ys] = [across.draws[k] ?? new Float64Array(), down.draws[k] ?? new Float64Array()];
    const { x, y, enclosed } = density2(xs, ys, across.range, down.range);
    const color = styles[k]?.line;
    return {
      type: "contour",
      x: shown(across, x),
      y: shown(down, y),
      z: Array.from(y, (_value, i) => rounded(enclosed.subarray(i * x.length, (i + 1) * x.length), 3)),
      xaxis,
      yaxis,
      autocontour: false,
      contours: { start: 0.68, end: 0.95, size: 0.27, coloring: k === 0 ? "fill" : "lines", showlines: true },
      colorscale:
        k === 0
          ? [
              [0, "#6CAED6"],
              [0.5, "#C6DFEE"],
              [1, "#FFFFFF"],
            ]
          : [
              [0, color],
              [1, color],
            ],
      line: { color, width: 1.3, dash: k === 0 ? "solid" : "dash" },
      showscale: false,
      showlegend: false,
      hoverinfo: "skip",
    };
  });
  return [
    ...contours,
    ...truthLine(across, { xaxis, yaxis, y: shown(down, widened(down)) }, "x", false),
    ...truthLine(down, { xaxis, yaxis, x: shown(across, widened(across)) }, "y", false),
  ];
}

function truthLine(scale: Scale, at: Trace, along: "x" | "y", showlegend: boolean): Trace[] {
  if (scale.truth === undefined) return [];
  const value = shown(scale, Float64Array.of(scale.truth, scale.truth));
  return [
    { ...at, [along]: value, mode: "lines", name: "truth", showlegend, line: { color: colours.truth, width: 1 } },
  ];
}
