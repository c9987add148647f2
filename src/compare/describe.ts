/** A comparison in words: a table of the contestants, one of the winners, and why the emulator is what it is. */
import { alignRows, showNumber, showShare } from "../analysis/index.ts";
import type { Comparison, MethodScores } from "./comparison.ts";

/** Outputs that are shown; the rest is counted. */
const mostRows = 40;

/** The comparison as text. */
export function describeComparison(comparison: Comparison): string {
  const { methods, winners, folds, scored, effort } = comparison;
  const absent = Object.entries(comparison.absent).map(([name, reason]) => `Not in the table: ${name}, ${reason}.`);
  if (methods.length === 0)
    return [...cutShort(comparison), "No fold was finished, so there is nothing to compare.", ...absent].join("\n");
  const head = ["method", "FVU", "RMSE", "CRPS", "in 90 %", "in 95 %", "fit", "query"];
  const shown = winners.slice(0, mostRows);
  return [
    `${scored} of ${comparison.runs} runs, each predicted without it (${folds} ${folds === 1 ? "fold" : "folds"}, ${effort} effort, seed ${comparison.seed}):`,
    alignRows([head, ...methods.map(row)]),
    "",
    "FVU: median over the outputs. RMSE and CRPS: means over the outputs, in units of each one's standard deviation. fit: mean",
    "of the folds ('with it': part of the emulator's fit). query: one row, in calls of up to 1000 rows.",
    "",
    alignRows(
      [
        ["output", "least CRPS", "FVU", "next", "its CRPS"],
        ...shown.map(({ output, best, next, ratio }) => {
          const first = methods.find(({ method }) => method === best[0]);
          const fvu = first?.outputs.find((each) => each.output === output)?.fvu ?? Number.NaN;
          const behind = ratio === null ? "" : ratio < 2 ? `+${showShare(ratio - 1)}` : `${showNumber(ratio, 3)} times`;
          return [output, best.join(" = ") || "does not vary", showNumber(fvu, 3), next ?? "", behind];
        }),
        ...(winners.length > shown.length ? [[`... and ${winners.length - shown.length} more`]] : []),
      ],
      [0, 1, 3],
    ),
    "",
    ...reason(comparison),
    ...absent,
    ...cutShort(comparison),
  ].join("\n");
}

function row({ title, fvu, rmse, crps, coverage90, coverage95, fitSeconds, queryMicros }: MethodScores): string[] {
  const seconds = fitSeconds === null ? "with it" : `${showNumber(fitSeconds, fitSeconds < 1 ? 1 : 3)} s`;
  const scores = [
    showNumber(fvu, 3),
    showNumber(rmse, 3),
    showNumber(crps, 3),
    showShare(coverage90),
    showShare(coverage95),
  ];
  return [title, ...scores, seconds, `${showNumber(queryMicros, 2)} us`];
}

/** Why the emulator is the mixture that it is, in a sentence. */
function reason({ stacking, methods }: Comparison): string[] {
  if (stacking === null) return [];
  const { networkShare, heldOutCrps, outputs } = stacking;
  const best = [...methods].sort((a, b) => a.crps - b.crps)[0];
  const lead =
    best === undefined
      ? ""
      : ` Of all, ${best.method} has the least mean CRPS on the runs held out here, ${showNumber(best.crps, 3)}.`;
  if (heldOutCrps === null) return [`The emulator is its networks alone: the fit had no processes beside them.${lead}`];
  const shares = outputs.map((output) => output.networkShare);
  const [least, most] = [Math.min(...shares), Math.max(...shares)];
  const range = most - least < 0.005 ? "" : ` (${percent(least)} to ${percent(most)} by output)`;
  const mixture = showNumber(heldOutCrps.mixture, 3);
  return [
    `Stacking gave the networks ${percent(networkShare)} of the prediction${range} and the processes the rest, because on held-out ` +
      `training runs that mixture had the least CRPS: ${mixture}, networks alone ${showNumber(heldOutCrps.networks, 3)}, processes alone ${showNumber(heldOutCrps.processes, 3)}.${lead}`,
  ];
}

function percent(share: number): string {
  return `${Math.round(100 * share)} %`;
}

function cutShort({ outcome, folds, asked }: Comparison): string[] {
  const done = `${folds} of ${asked} folds done`;
  switch (outcome) {
    case "complete":
      return [];
    case "time":
      return [`The time was up: ${done}.`];
    case "interrupted":
      return [`Interrupted: ${done}.`];
    default:
      return outcome satisfies never;
  }
}
