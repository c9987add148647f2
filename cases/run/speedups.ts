/** Speedups of cases that were run, measured anew on this machine, and their chart. */
import {
  type Figure,
  hostName,
  inspect,
  loadEmulator,
  pageHtml,
  plotlyScript,
  showNumber,
  speedupFigure,
} from "../../src/index.ts";
import { join } from "node:path";
import { getCase } from "../simulate.ts";
import { caseFolder, files, readSummary } from "./folder.ts";
import { measureSpeed, payback, type Speed } from "./speed.ts";
import { bestOf, caution, showMs } from "./summary.ts";

export interface CaseSpeed {
  readonly case: string;
  readonly title: string;
  /** Networks in the emulator. */
  readonly members: number;
  readonly speed: Speed;
  /** Queries, one at a time, after which the runs and the fit have paid; null where they never do. */
  readonly paybackQueries: number | null;
}

/** Times a case's simulator and the emulator that `cases run` left in `case-NAME` under `folder`.
 * @throws OptionError for an unknown case; FileError where it was not run */
export async function caseSpeed(name: string, folder: string, seed = 1): Promise<CaseSpeed> {
  const study = getCase(name);
  const place = caseFolder(folder, name);
  const { fit } = await readSummary(place);
  const path = join(place, files.emulator);
  const { members } = await inspect(path);
  const emulator = await loadEmulator(path);
  try {
    const speed = await measureSpeed(study, emulator, seed);
    const queries = payback(speed, fit.runs + fit.failed, fit.seconds * fit.threads);
    return {
      ...{ case: name, title: study.title, members: members.length, speed },
      paybackQueries: Number.isFinite(queries) ? Math.ceil(queries) : null,
    };
  } finally {
    await emulator.dispose();
  }
}

/** Head and rows of the table of speedups. */
export function speedupRows(speeds: readonly CaseSpeed[]): readonly (readonly string[])[] {
  const ratio = ({ median, low, high }: Speed["speedup"]["single"]): string =>
    `${showNumber(median, 3)}x (${showNumber(low, 3)} to ${showNumber(high, 3)})`;
  return [
    [
      "case",
      "members",
      "simulator",
      "1 query",
      "speedup (quartiles)",
      "best batch",
      "a row",
      "speedup (quartiles)",
      "pays after",
    ],
    ...speeds.map(({ case: name, members, speed, paybackQueries }) => [
      name,
      String(members),
      showMs(speed.simulator.median),
      showMs(speed.single.median),
      ratio(speed.speedup.single),
      String(speed.bestRows),
      showMs(bestOf(speed)),
      ratio(speed.speedup.batched),
      paybackQueries === null ? "never" : `${paybackQueries} queries`,
    ]),
  ];
}

/** The chart: a bar per case, of single queries and of the best batch. */
export function speedupChart(speeds: readonly CaseSpeed[]): Figure {
  return speedupFigure(speeds.map(({ case: name, speed }) => ({ name, ...speed.speedup })));
}

/** The chart and the table on a page. @param machine such as what it was doing besides */
export async function speedupPage(speeds: readonly CaseSpeed[], machine: string): Promise<string> {
  return pageHtml(
    {
      title: "Emulators against their simulators",
      summary: `Time of one run, on one thread of ${hostName()} (${machine}). ${caution}`,
      blocks: [
        {
          kind: "figure",
          figure: speedupChart(speeds),
          caption:
            "How many times faster the emulator answers, all its members, scaling and intervals included. Bars: from the quartiles of both times.",
          alt: `Speedups on a logarithmic axis: ${speeds.map(({ case: name, speed }) => `${name} ${showNumber(speed.speedup.single.median, 2)} and ${showNumber(speed.speedup.batched.median, 2)}`).join(", ")}.`,
        },
        {
          kind: "table",
          caption:
            "Medians over calls. An emulator has paid when the time that its queries saved, one at a time, is what making its runs and fitting it took.",
          rows: speedupRows(speeds),
        },
      ],
    },
    await plotlyScript(),
  );
}
