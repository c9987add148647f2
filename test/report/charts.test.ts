import { describe, expect, it } from "vitest";
import {
  cornerFigure,
  coverageFigure,
  type Figure,
  frontFigure,
  imagesFigure,
  parityFigure,
  signalsFigure,
  speedupFigure,
} from "../../src/report/index.ts";
import { density1, density2 } from "../../src/report/density.ts";
import { panels } from "../../src/report/figure.ts";
import { makeRng } from "../../src/rng.ts";

const line = (...values: number[]): Float64Array => Float64Array.from(values);
const named = ({ data }: Figure, name: string) => data.filter((trace) => trace.name === name);

/** Every axis that a trace names is in the layout. */
function axesOf({ data, layout }: Figure): boolean {
  const key = (axis: string): string => axis.replace(/^([xy])/, "$1axis");
  return (data as readonly { xaxis?: string; yaxis?: string }[]).every(
    ({ xaxis = "x", yaxis = "y" }) => key(xaxis) in layout && key(yaxis) in layout,
  );
}

const run = (title: string, shift: number) => ({
  title,
  truth: line(1, 2, 3, 4),
  mean: line(1, 2, 3, 4).map((value) => value + shift),
  lower: line(0.5, 1.5, 2.5, 3.5),
  upper: line(1.5, 2.5, 3.5, 4.5),
});

describe("signalsFigure()", () => {
  const options = { x: [0, 1, 2, 3], xLabel: "time [s]", level: 0.95 };

  it("draws each run with its band, and its error under it", () => {
    const figure = signalsFigure({
      ...options,
      rows: [{ label: "power [W]", runs: [run("median run", 0.1), run("worst run", 0.25)] }],
    });
    expect(axesOf(figure)).toBe(true);
    expect(named(figure, "simulator").map(({ y }) => y)).toEqual([
      [1, 2, 3, 4],
      [1, 2, 3, 4],
    ]);
    expect(named(figure, "emulator")[1]?.y).toEqual([1.25, 2.25, 3.25, 4.25]);
    expect(named(figure, "95 % interval").map(({ fill, showlegend }) => [fill, showlegend])).toEqual([
      ["tonexty", true],
      ["tonexty", false],
    ]);
    expect(figure.data.at(-1)?.y).toEqual([0.25, 0.25, 0.25, 0.25]);
    const { xaxis, yaxis, xaxis3, annotations } = figure.layout as Record<string, { title: { text: string } }>;
    expect([xaxis?.title.text, xaxis3?.title.text, yaxis?.title.text]).toEqual(["", "time [s]", "power [W]"]);
    expect(annotations).toMatchObject([{ text: "median run" }, { text: "worst run" }]);
  });

  it("gives several signals a row each, without errors", () => {
    const rows = ["PO4", "O2"].map((label) => ({ label, runs: [run("a", 0), run("b", 0), run("c", 0)] }));
    const figure = signalsFigure({ ...options, rows });
    expect(named(figure, "simulator")).toHaveLength(6);
    expect(figure.data).toHaveLength(6 * 4);
  });

  it("takes logarithmic axes for what spans decades", () => {
    const wide = { ...run("a", 0), truth: line(1, 10, 1e3, 1e4) };
    const figure = signalsFigure({ ...options, x: [0.1, 1, 10, 100], rows: [{ label: "y", runs: [wide] }] });
    expect(figure.layout).toMatchObject({ xaxis: { type: "log" }, yaxis: { type: "log" } });
  });
});

describe("imagesFigure()", () => {
  it("shows simulator and emulator on one scale, the error around 0, and the uncertainty from 0", () => {
    const figure = imagesFigure({
      runs: [
        {
          title: "worst run",
          truth: line(0, 1, 2, 3, 4, 5),
          mean: line(0, 1, 2, 3, 4, 7),
          std: line(0, 0, 0, 0, 0, 1),
        },
      ],
      x: [10, 20, 30],
      y: [1, 2],
      xLabel: "x",
      yLabel: "y",
      label: "map",
      square: false,
    });
    expect(axesOf(figure)).toBe(true);
    expect(figure.data.map(({ zmin, zmax }) => [zmin, zmax])).toEqual([
      [0, 7],
      [0, 7],
      [-2, 2],
      [0, 1],
    ]);
    expect(figure.data[2]?.z).toEqual([
      [0, 0, 0],
      [0, 0, 2],
    ]);
  });
});

describe("parityFigure()", () => {
  it("has a panel per scalar with error bars to the interval's ends", () => {
    const field = { ...run("", 0.25), label: "yield", note: "FVU 0.1" };
    const figure = parityFigure(new Array<typeof field>(7).fill(field));
    expect(axesOf(figure)).toBe(true);
    const points = named(figure, "test runs, with their interval");
    expect(points).toHaveLength(7);
    expect(points[0]).toMatchObject({
      x: [1, 2, 3, 4],
      y: [1.25, 2.25, 3.25, 4.25],
      error_y: { array: [0.25, 0.25, 0.25, 0.25], arrayminus: [0.75, 0.75, 0.75, 0.75] },
    });
    // Five a row: the last panel is the second of its row.
    const { xaxis7, yaxis6 } = figure.layout as Record<string, { domain: number[]; title: { text: string } }>;
    expect(xaxis7?.domain[0]).toBeGreaterThan(0);
    expect(yaxis6?.title.text).toBe("emulator");
  });
});

describe("coverageFigure()", () => {
  it("sets coverage against level, with two standard errors about the diagonal", () => {
    const figure = coverageFigure({ levels: [0.5, 0.9], curves: [{ name: "y", coverage: [0.6, 0.92] }], runs: 100 });
    expect(named(figure, "y")[0]).toMatchObject({ x: [0.5, 0.9], y: [0.6, 0.92] });
    // 2 sqrt(0.25 / 100) = 0.1, 2 sqrt(0.09 / 100) = 0.06
    expect(figure.data[0]?.y).toEqual([0.4, 0.84]);
    expect(figure.data[1]?.y).toEqual([0.6, 0.96]);
  });
});

describe("cornerFigure()", () => {
  const rng = makeRng(1);
  const draws = Float64Array.from({ length: 4000 }, () => 5 + 0.2 * rng.normal());
  const wide = draws.map((value) => 10 ** value);
  const figure = cornerFigure({
    inputs: [
      { name: "a", unit: "m", low: 0, high: 10, scale: "linear", truth: 5.1 },
      { name: "b", low: 1, high: 1e9, scale: "log", truth: 1e5 },
    ],
    posteriors: [
      { name: "emulator", draws: [draws, wide] },
      { name: "simulator", draws: [draws, wide] },
    ],
  });

  it("has marginals on the diagonal, contours of 68 % and 95 % below, and the truth", () => {
    expect(axesOf(figure)).toBe(true);
    const contours = figure.data.filter(({ type }) => type === "contour");
    expect(contours).toHaveLength(2);
    expect(contours[0]?.contours).toMatchObject({ start: 0.68, end: 0.95, size: 0.27 });
    expect(named(figure, "emulator")).toHaveLength(2);
    expect(named(figure, "truth").map(({ x }) => (x as number[])[0])).toEqual([5.1, 5.1, expect.any(Number), 1e5]);
  });

  it("zooms to the draws, on a logarithmic axis where they span decades", () => {
    const { xaxis, yaxis3 } = figure.layout as Record<string, { range: number[]; type?: string }>;
    expect(xaxis?.range[0]).toBeGreaterThan(4);
    expect(xaxis?.range[1]).toBeLessThan(6);
    expect(yaxis3?.type).toBe("log");
    expect(yaxis3?.range[0]).toBeGreaterThan(4);
  });

  it("labels powers of ten alone where there are several, and what stands between where there is one", () => {
    const broad = draws.map((value) => 10 ** (5 * value - 20));
    const { layout } = cornerFigure({
      inputs: [{ name: "b", low: 1, high: 1e12, scale: "log" }],
      posteriors: [{ name: "emulator", draws: [broad] }],
    });
    expect(layout).toMatchObject({ xaxis: { type: "log", dtick: 1 } });
    expect(figure.layout).not.toHaveProperty("yaxis3.dtick");
  });

  it("takes a power of ten of large numbers into the label", () => {
    const input = { name: "density", unit: "cm^-3", low: 0, high: 1e21, scale: "linear", truth: 5.1e20 } as const;
    const { data, layout } = cornerFigure({
      inputs: [input],
      posteriors: [{ name: "emulator", draws: [draws.map((value) => value * 1e20)] }],
    });
    expect(layout).toMatchObject({ xaxis: { title: { text: "density [10<sup>20</sup> cm<sup>-3</sup>]" } } });
    expect(named({ data, layout }, "truth").map(({ x }) => (x as number[])[0])).toEqual([5.1]);
  });
});

describe("densities", () => {
  it("of a normal peak at its mean and enclose what they say", () => {
    const rng = makeRng(2);
    const x = Float64Array.from({ length: 20_000 }, () => rng.normal());
    const y = Float64Array.from({ length: 20_000 }, () => rng.normal());
    const { at, density } = density1(x, -4, 4);
    expect(Math.abs(at[density.indexOf(1)]!)).toBeLessThan(0.3);
    const grid = density2(x, y, [-4, 4], [-4, 4]);
    // 68 % of two independent normals lie within sqrt(-2 ln 0.32) = 1.51, a little more after the blur.
    const inside = grid.enclosed.filter((share) => share <= 0.68).length * (8 / 56) ** 2;
    expect(Math.sqrt(inside / Math.PI)).toBeGreaterThan(1.45);
    expect(Math.sqrt(inside / Math.PI)).toBeLessThan(1.65);
  });

  it("do not fall at the edge of a prior that cuts them off", () => {
    const even = Float64Array.from({ length: 10_000 }, (_, i) => (i + 0.5) / 10_000);
    expect(Math.min(...density1(even, 0, 1).density)).toBeGreaterThan(0.9);
  });
});

describe("speedupFigure()", () => {
  it("sets both speedups of each case on one logarithmic axis", () => {
    const figure = speedupFigure([
      { name: "xrts", single: { median: 200, low: 150, high: 260 }, batched: { median: 5000, low: 4000, high: 6000 } },
      { name: "gcm", single: { median: 90, low: 80, high: 99 }, batched: { median: 900, low: 700, high: 1100 } },
    ]);
    expect(figure.data.map(({ x }) => x)).toEqual([
      [200, 90],
      [5000, 900],
    ]);
    expect(figure.data[0]?.error_x).toMatchObject({ array: [60, 9], arrayminus: [50, 10] });
    expect(figure.layout).toMatchObject({ xaxis: { type: "log", range: [0, 4] } });
  });
});

describe("frontFigure()", () => {
  const at = (latencyMs: number, error: number, onFront = true) => ({ latencyMs, error, onFront, note: "8 members" });
  const fronts = [
    { panel: "reactor", target: "cpu", points: [at(0.05, 4e-3), at(0.2, 2e-3)] },
    { panel: "reactor", target: "fpga", points: [at(0.002, 4e-3), at(0.004, 5e-3, false)] },
    { panel: "spectrum", target: "cpu", points: [at(0.06, 1e-3)] },
    { panel: "spectrum", target: "gpu", points: [at(0.1, 1e-3)] },
  ];
  const { data, layout } = frontFigure(fronts, "FVU");

  it("draws microseconds against error, hollow where another is faster and better", () => {
    expect(data.map(({ x }) => x)).toEqual([[50, 200], [2], [4], [60], [100]]);
    expect(data[1]).toMatchObject({ y: [4e-3], mode: "lines+markers", marker: { symbol: "circle" } });
    expect(data[2]).toMatchObject({ y: [5e-3], mode: "markers", marker: { symbol: "circle-open" } });
  });

  it("has a panel per table, and every device once in the legend, in one colour", () => {
    expect(data.map(({ xaxis, yaxis }) => [xaxis, yaxis])).toEqual([
      ["x", "y"],
      ["x", "y"],
      ["x", "y"],
      ["x2", "y2"],
      ["x2", "y2"],
    ]);
    expect(data.map(({ name, showlegend }) => [name, showlegend])).toEqual([
      ["cpu", true],
      ["fpga", true],
      ["fpga", false],
      ["cpu", false],
      ["gpu", true],
    ]);
    expect(data[0]?.line).toEqual(data[3]?.line);
    expect(data[0]?.line).not.toEqual(data[1]?.line);
  });

  it("labels axes that span less than a decade", () => {
    const { xaxis2, yaxis } = layout as Readonly<Record<string, { tickvals: number[]; range: [number, number] }>>;
    expect(xaxis2?.tickvals).toEqual([50, 70, 100]);
    expect(yaxis?.tickvals).toEqual([2e-3, 3e-3, 5e-3, 7e-3]);
  });
});

describe("panels()", () => {
  it("fill the figure from the top left", () => {
    const [[a, b] = [], [c] = []] = panels([1, 1], [3, 1], [0.1, 0.2]);
    expect([a, b, c]).toMatchObject([
      { x: "x", xDomain: [0, 0.45], yDomain: [0.4, 1] },
      { x: "x2", xDomain: [0.55, 1] },
      { x: "x3", yDomain: [0, 0.2] },
    ]);
  });
});
