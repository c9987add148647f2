/** What a chart is: a plain Plotly figure, with the words that go with it. */

/** One Plotly trace, and a layout, as plain data that survives JSON. */
export type Trace = Readonly<Record<string, unknown>>;
export type Layout = Readonly<Record<string, unknown>> & { readonly width: number; readonly height: number };

export interface Figure {
  readonly data: readonly Trace[];
  readonly layout: Layout;
}

/** Colours that colour-blind readers can tell apart (Okabe & Ito 2008), and in grey prints by their lightness. */
export const colours = {
  truth: "#000000",
  emulator: "#0072B2",
  band: "rgba(0,114,178,0.25)",
  second: "#D55E00",
  secondBand: "rgba(213,94,0,0.25)",
  third: "#009E73",
  fourth: "#CC79A7",
  faint: "#999999",
} as const;

/** Distinct colours for lines that belong together. */
export const lineColours: readonly string[] = [
  colours.emulator,
  colours.second,
  colours.third,
  colours.fourth,
  "#E69F00",
  "#56B4E9",
];

/** An axis as in print: a frame on all four sides, ticks inside, no grid. @param title text under or beside it, powers as in 10^3 */
export function axis(title: string, extra: Readonly<Record<string, unknown>> = {}): Readonly<Record<string, unknown>> {
  return {
    title: { text: title.replace(/\^(-?\d+)/g, "<sup>$1</sup>"), standoff: 6, font: { size: 13 } },
    showline: true,
    mirror: "ticks",
    linecolor: "black",
    linewidth: 1,
    ticks: "inside",
    ticklen: 5,
    tickcolor: "black",
    showgrid: false,
    zeroline: false,
    exponentformat: "power",
    automargin: true,
    ...extra,
  };
}

/** Ticks of a logarithmic axis at powers of ten, with minor ones between. */
export const logAxis = { type: "log", dtick: 1, minor: { ticks: "inside", ticklen: 3, dtick: "D1" } } as const;

/** A layout with the house's fonts and margins. */
export function layout(width: number, height: number, extra: Readonly<Record<string, unknown>> = {}): Layout {
  return {
    font: { family: "Helvetica, Arial, sans-serif", size: 12, color: "black" },
    paper_bgcolor: "white",
    plot_bgcolor: "white",
    margin: { l: 70, r: 20, t: 40, b: 55 },
    showlegend: true,
    legend: {
      orientation: "h",
      x: 0,
      y: 0.995,
      yanchor: "top",
      yref: "container",
      traceorder: "normal",
      bgcolor: "rgba(255,255,255,0)",
    },
    ...extra,
    width,
    height,
  };
}

/** `temperature [eV]`. */
export function label(name: string, unit: string | undefined): string {
  return unit === undefined || unit === "" ? name : `${name} [${unit}]`;
}

/** Numbers in a few significant digits: figures stay small, and the same on every machine. */
export function rounded(values: ArrayLike<number>, digits = 5): (number | null)[] {
  return Array.from(values, (value) => (Number.isFinite(value) ? Number(value.toPrecision(digits)) : null));
}

/** Whether coordinates are spaced evenly in their logarithm, and not evenly. */
export function isLogSpaced(values: readonly number[]): boolean {
  const [first = 0, second = 0] = values;
  const [before = 0, last = 0] = values.slice(-2);
  if (values.length < 4 || !(first > 0) || !(second > first)) return false;
  const [start, end] = [second / first, last / before];
  return Math.abs(start / end - 1) < 0.05 && Math.abs((second - first) / (last - before) - 1) > 0.2;
}

/** Whether numbers are all positive and span more than three decades. */
export function spansDecades(values: Iterable<number>): boolean {
  let [low, high] = [Number.POSITIVE_INFINITY, 0];
  for (const value of values) {
    low = Math.min(low, value);
    high = Math.max(high, value);
  }
  return low > 0 && high / low > 1000;
}

/** One panel of a figure of many: names of its axes in traces and layout, and where it stands. */
export interface Panel {
  /** Such as "x3" and "xaxis3". */
  readonly x: string;
  readonly y: string;
  readonly xKey: string;
  readonly yKey: string;
  readonly xDomain: readonly [number, number];
  readonly yDomain: readonly [number, number];
}

/** Panels in rows and columns, the first at the top left. @param columns relative widths   @param rows relative heights
 * @param gaps shares of the figure between columns and between rows */
export function panels(
  columns: readonly number[],
  rows: readonly number[],
  gaps: readonly [number, number],
): readonly (readonly Panel[])[] {
  const xs = spans(columns, gaps[0]);
  const ys = spans(rows, gaps[1]).map(([low, high]) => [exact(1 - high), exact(1 - low)] as const);
  return ys.map((yDomain, i) =>
    xs.map((xDomain, j) => {
      const number = i * xs.length + j + 1;
      const suffix = number === 1 ? "" : String(number);
      return { x: `x${suffix}`, y: `y${suffix}`, xKey: `xaxis${suffix}`, yKey: `yaxis${suffix}`, xDomain, yDomain };
    }),
  );
}

function spans(sizes: readonly number[], gap: number): (readonly [number, number])[] {
  const total = sizes.reduce((sum, size) => sum + size, 0);
  const room = 1 - gap * (sizes.length - 1);
  let at = 0;
  return sizes.map((size) => {
    const from = at;
    const to = from + (room * size) / total;
    at = to + gap;
    return [exact(from), exact(Math.min(1, to))] as const;
  });
}

/** Without the dust of sums. */
function exact(value: number): number {
  return Number(value.toFixed(5));
}

/** A title above a panel. */
export function panelTitle({ xDomain, yDomain }: Panel, text: string): Readonly<Record<string, unknown>> {
  return {
    text,
    x: (xDomain[0] + xDomain[1]) / 2,
    y: yDomain[1],
    xref: "paper",
    yref: "paper",
    xanchor: "center",
    yanchor: "bottom",
    showarrow: false,
    font: { size: 13 },
  };
}
