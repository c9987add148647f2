/** Fronts of error against latency, a line per device and a panel per table, both axes logarithmic. */
import { showNumber } from "../../analysis/index.ts";
import { axis, colours, type Figure, layout, lineColours, type Trace } from "../figure.ts";

export interface FrontLine {
  /** The table or case: lines of the same one share a panel. */
  readonly panel: string;
  readonly target: string;
  /** Fastest first. */
  readonly points: readonly {
    /** Predicted, milliseconds of a call. */
    readonly latencyMs: number;
    readonly error: number;
    /** Whether no other point is both faster and better. */
    readonly onFront: boolean;
    /** Told under the pointer. */
    readonly note: string;
  }[];
}

/** A figure of fronts: the line goes through what nothing beats, hollow marks stand beside it.
 * @param error what the vertical axis is, such as "FVU on unseen runs" */
export function frontFigure(fronts: readonly FrontLine[], error: string): Figure {
  const panels = [...new Set(fronts.map(({ panel }) => panel))];
  const targets = [...new Set(fronts.map(({ target }) => target))];
  const suffix = (i: number): string => (i === 0 ? "" : `${i + 1}`);
  const data = fronts.flatMap(({ panel, target, points }, i): Trace[] => {
    const p = panels.indexOf(panel);
    const color = lineColours[targets.indexOf(target) % lineColours.length] ?? colours.emulator;
    const trace = (some: FrontLine["points"], symbol: string): Trace => ({
      x: some.map(({ latencyMs }) => 1e3 * latencyMs),
      y: some.map(({ error }) => error),
      text: some.map(({ note }) => note),
      name: target,
      legendgroup: target,
      showlegend: false,
      mode: "markers",
      marker: { color, size: 9, symbol },
      xaxis: `x${suffix(p)}`,
      yaxis: `y${suffix(p)}`,
    });
    const beaten = points.filter(({ onFront }) => !onFront);
    const front: Trace = {
      ...trace(
        points.filter(({ onFront }) => onFront),
        "circle",
      ),
      mode: "lines+markers",
      line: { color, shape: "hv", width: 1.5 },
      showlegend: !fronts.slice(0, i).some((before) => before.target === target),
    };
    return beaten.length === 0 ? [front] : [front, trace(beaten, "circle-open")];
  });
  const axes = panels.flatMap((panel, p) => {
    const points = fronts.filter((front) => front.panel === panel).flatMap((front) => front.points);
    const latencies = points.map(({ latencyMs }) => 1e3 * latencyMs);
    return [
      [`xaxis${suffix(p)}`, axis(`${panel}: predicted latency of a call (µs)`, logTicks(latencies))],
      [`yaxis${suffix(p)}`, axis(error, logTicks(points.map((point) => point.error)))],
    ] as const;
  });
  return {
    data,
    layout: layout(440 * panels.length + 200, 420, {
      grid: { rows: 1, columns: panels.length, pattern: "independent" },
      ...Object.fromEntries(axes),
      margin: { l: 70, r: 20, t: 30, b: 60 },
    }),
  };
}

/** Labels at 1, 2, 3, 5 and 7 of each decade that the numbers reach: a front may span less than one. */
function logTicks(numbers: readonly number[]) {
  const positive = numbers.filter((value) => value > 0 && Number.isFinite(value));
  const [low, high] = positive.length === 0 ? [1, 10] : [Math.min(...positive) / 1.5, 1.5 * Math.max(...positive)];
  const from = Math.floor(Math.log10(low));
  const decades = Array.from({ length: Math.ceil(Math.log10(high)) - from + 1 }, (_, i) => from + i);
  const digits = high / low > 300 ? [1] : high / low > 30 ? [1, 3] : [1, 2, 3, 5, 7];
  const tickvals = decades
    .flatMap((decade) => digits.map((digit) => Number(`${digit}e${decade}`)))
    .filter((value) => value >= low && value <= high);
  return {
    type: "log",
    range: [Math.log10(low), Math.log10(high)],
    tickvals,
    ticktext: tickvals.map((value) => showNumber(value, 2)),
  };
}
