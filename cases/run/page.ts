/** The page of a case: what was run, how good it is, and what it tells. */
import { type Block, pageHtml, plotlyScript, showNumber, showShare, wordsOfScale } from "../../src/index.ts";
import { type Case } from "../case.ts";
import type { NamedFigure } from "./figures.ts";
import { bestOf, caution, type CaseSummary, showMs } from "./summary.ts";

/** The page as HTML. */
export async function casePage(
  study: Case,
  summary: CaseSummary,
  figures: { readonly test: readonly NamedFigure[]; readonly posterior: NamedFigure },
): Promise<string> {
  const { fit, machine } = summary;
  return pageHtml(
    {
      title: `${study.title}: emulator and inverse problem`,
      summary: `${study.about} ${fit.runs} runs, fitted in ${showNumber(fit.seconds, 3)} s on ${fit.threads} thread${fit.threads === 1 ? "" : "s"} of ${machine.host}. ${caution}`,
      blocks: [
        { kind: "heading", text: "On fresh runs" },
        scoreTable(study, summary),
        ...figures.test,
        { kind: "heading", text: "Inverse problem" },
        { kind: "text", text: inverseText(study, summary) },
        inverseTable(study, summary),
        figures.posterior,
        ...(summary.real === null ? [] : [realTable(summary.real)]),
        { kind: "heading", text: "Speed" },
        speedTable(summary),
        { kind: "text", text: paybackText(summary) },
        { kind: "heading", text: "Sources" },
        { kind: "text", text: study.source.join("; ") },
      ],
    },
    await plotlyScript(),
  );
}

function scoreTable(study: Case, { test, fit }: CaseSummary): Block {
  return {
    kind: "table",
    caption: `Scores on ${test.runs} fresh runs, uniform over the box of inputs; ${fit.failed} of ${fit.runs + fit.failed} training runs failed and were left out. nRMSE: root mean square error over the standard deviation of the truth.`,
    left: 2,
    rows: [
      ["output", "unit", "learned as", "FVU", "nRMSE", "RMSE", "in 90 %", "in 95 %"],
      ...test.fields.map(({ field, scale, fvu, nrmse, rmse, coverage90, coverage95 }) => [
        field,
        study.outputs.find(({ name }) => name === field)?.unit ?? "",
        wordsOfScale(scale),
        showNumber(fvu, 2),
        showNumber(nrmse, 2),
        showNumber(rmse, 2),
        showShare(coverage90),
        showShare(coverage95),
      ]),
    ],
  };
}

function inverseText({ inverse }: Case, { inverse: found }: CaseSummary): string {
  return `${inverse.about} Seen: ${inverse.observed.join(", ")}, with noise. The prior is even over the box of the inputs, the covariance of the emulator's errors is added to that of the noise: with the correlations that they have on fresh runs that are no truths, and as large as those runs need for first-order posteriors to hold what they say. ${found.truths} hidden runs as truths: ${showShare(found.coverage68)} of them (± ${showShare(found.coverage68Error)} for independent problems) inside the central 68 % intervals, ${showShare(found.coverage95)} (± ${showShare(found.coverage95Error)}) inside the 95 % ones. Median R-hat ${showNumber(found.rHat, 3)}, ${Math.round(found.effectiveDraws)} effective draws, ${showShare(found.acceptance)} of moves taken; ${showNumber(found.seconds, 3)} s for all.`;
}

function inverseTable(study: Case, { inverse }: CaseSummary): Block {
  return {
    kind: "table",
    caption:
      "Retrieval of each input: coverage, and the width of the posterior as a share of the prior's (100 % where the data say nothing of it).",
    left: 2,
    rows: [
      ["input", "unit", "in 68 %", "in 95 %", "posterior / prior"],
      ...inverse.inputs.map(({ input, coverage68, coverage95, shareOfPrior }, j) => [
        input,
        study.inputs[j]?.unit ?? "",
        showShare(coverage68),
        showShare(coverage95),
        showShare(shareOfPrior),
      ]),
    ],
  };
}

function realTable(real: NonNullable<CaseSummary["real"]>): Block {
  return {
    kind: "table",
    caption: `Emulator's posterior against that of the simulator itself (${real.simulations} runs, ${showNumber(real.seconds, 3)} s, R-hat ${showNumber(real.rHat, 3)}): distance of the medians in 68 % widths, and ratio of the widths.`,
    rows: [
      ["input", "medians apart", "width ratio"],
      ...real.inputs.map(({ input, shift, widthRatio }) => [input, showNumber(shift, 2), showNumber(widthRatio, 3)]),
    ],
  };
}

function speedTable({ speed }: CaseSummary): Block {
  const row = (what: string, { median, low, high }: { median: number; low: number; high: number }, ratio: string) => [
    what,
    showMs(median),
    `${showMs(low)} to ${showMs(high)}`,
    ratio,
  ];
  const times = (ms: number): string => `${showNumber(speed.simulator.median / ms, 3)}x`;
  return {
    kind: "table",
    caption:
      "Time of one run on one thread: median and quartiles. The emulator's holds all its members, scaling and intervals.",
    rows: [
      ["what", "median", "quartiles", "speedup"],
      row("simulator", speed.simulator, ""),
      row("emulator, 1 row a call", speed.single, times(speed.single.median)),
      ...speed.batches.map((batch) => row(`emulator, ${batch.rows} rows a call`, batch, times(batch.median))),
    ],
  };
}

function paybackText({ speed, paybackQueries, fit }: CaseSummary): string {
  const best = `Best batch: ${speed.bestRows} rows, ${showMs(bestOf(speed))} each.`;
  const cost = `Making the ${fit.runs + fit.failed} runs and fitting (${showNumber(fit.seconds * fit.threads, 3)} s of cores)`;
  return paybackQueries === null
    ? `${best} One query at a time, the emulator saves nothing.`
    : `${best} ${cost} has paid after ${paybackQueries} queries, one at a time.`;
}
