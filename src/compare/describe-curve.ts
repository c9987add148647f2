/** A learning curve in words. */
import { alignRows, powerLawAt, showNumber } from "../analysis/index.ts";
import type { LearningCurve, MethodCurve } from "./curve.ts";
import type { Forecast } from "./learning-curve.ts";

/** The curve as text: a table per method, the law, and what more runs would buy. */
export function describeCurve(curve: LearningCurve): string {
  const { runs, held, effort, seed, methods, absent, outcome, fits, asked } = curve;
  return [
    `Fits at growing numbers of runs, all tried on the same ${held} of ${runs} runs (${effort} effort, seed ${seed}).`,
    "Error: root mean squared, in units of each output's standard deviation, geometric mean over outputs and fits.",
    ...methods.flatMap((method) => ["", ...describeMethod(method, runs)]),
    ...(methods.length === 0 ? ["", "No fit was finished."] : []),
    ...Object.entries(absent).map(([name, reason]) => `Not shown: ${name}, ${reason}.`),
    ...(outcome === "complete"
      ? []
      : ["", `${outcome === "time" ? "The time was up" : "Interrupted"}: ${fits} of ${asked} fits done.`]),
  ].join("\n");
}

function describeMethod({ title, sizes, forecast }: MethodCurve, total: number): string[] {
  const rows = sizes.map(({ runs, fits, error, least, most }) => [
    String(runs),
    String(fits),
    showNumber(error, 3),
    fits === 1 ? "" : `${showNumber(least, 3)} to ${showNumber(most, 3)}`,
    forecast === null ? "" : showNumber(powerLawAt(forecast.law, runs), 3),
  ]);
  const table = alignRows([["runs", "fits", "error", "least to most", "law"], ...rows], []);
  if (forecast === null) return [title, table, "Fewer than three numbers of runs are done: no law, no forecast."];
  const { law, exponent } = forecast;
  const floor = law.c > 0 ? ` + ${showNumber(law.c, 2)}` : "";
  const range = `${showNumber(exponent.low, 2)} to ${showNumber(exponent.high, 2)}`;
  return [
    title,
    table,
    `Law: error = ${showNumber(law.a, 3)} n^-${showNumber(law.b, 2)}${floor} (80 % bootstrap interval of the exponent: ${range}).`,
    describeForecast(forecast, total),
  ];
}

/** What more runs would buy, as a sentence. @param total runs that there are */
export function describeForecast({ law, error, runsForHalf, never }: Forecast, total: number): string {
  const { value, low, high } = runsForHalf;
  if (value === null) {
    const why =
      law.c > error / 2
        ? `it levels off at ${showNumber(law.c, 2)}, ${Math.round((100 * law.c) / error)} % of what it is with all ${total}`
        : "it falls too slowly with their number";
    return `More runs will not halve the error: ${why}.`;
  }
  const more = (runs: number): string => showNumber(Math.max(0, Number((runs - total).toPrecision(2))), 4);
  const from = low === null ? "" : high === null ? `${more(low)} or more` : `${more(low)} to ${more(high)}`;
  const doubt = never === 0 ? "" : `; in ${Math.round(100 * never)} % of the bootstrap no number would do`;
  return `About ${more(value)} more runs for half the error (80 % bootstrap interval: ${from}${doubt}).`;
}
