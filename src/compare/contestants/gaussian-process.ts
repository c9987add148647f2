/**
 * The textbook's Gaussian process: per output a Matern 5/2 product kernel, length scales and nugget by restricted maximum
 * likelihood, and the process's own variance. Fields are fitted in principal components.
 */
import { getEngine } from "../../engine/index.ts";
import { graphBuilder } from "../../graph/index.ts";
import { type ProcessFit, processGraph } from "../../process/index.ts";
import { makeRng } from "../../rng.ts";
import { inProcess } from "../../tasks/index.ts";
import { processTask } from "../../train/index.ts";
import type { Contestant } from "../contestant.ts";
import { gaussianPredictor, type Moments, scaledTable } from "../gaussian.ts";

/** Runs that carry the variance. */
const anchors = 1000;
/** Bounds the memory for correlations with the runs. */
const rowsPerCall = 1000;

export const gaussianProcess: Contestant = {
  name: "gaussian-process",
  title: "plain Gaussian process",
  source: "Rasmussen & Williams 2006, ch. 2 and 5; Matern 5/2: Stein 1999",
  work: 15,
  async fit({ runs, options: { runner = inProcess(), seed = 1 } }) {
    const table = scaledTable(runs);
    const { n, width: d, x } = table;
    const rng = makeRng(seed).fork("plain process");
    const fits = await Promise.all(
      table.z.map((z, f) =>
        runner.run(processTask, {
          x,
          y: Float64Array.from(z),
          shape: { n, d, m: z.length / n },
          anchors,
          seed: rng.fork(f).seed,
          plain: true,
        }),
      ),
    );
    const done = fits.filter((fit): fit is ProcessFit => fit !== null);
    if (done.length < fits.length) return { kind: "absent", reason: "it was to end before it was done" };
    const b = graphBuilder();
    const input = b.input("x", ["N", d], "float64");
    const nodes = done.map((fit) => processGraph(b, input, fit));
    const outputs = nodes.flatMap(({ mean, variance }, f) => [
      [`mean${f}`, mean] as const,
      [`variance${f}`, variance] as const,
    ]);
    const executable = await getEngine("onnxruntime").compile(b.build(Object.fromEntries(outputs)));
    const predictor = gaussianPredictor(runs, table, async (at) => {
      const rows = at.length / d;
      const found: Moments[] = done.map(({ m }) => ({
        mean: new Float64Array(rows * m),
        std: new Float64Array(rows * m),
      }));
      for (let from = 0; from < rows; from += rowsPerCall) {
        const part = at.slice(from * d, (from + rowsPerCall) * d);
        const results = await executable.run({ x: part }, { rows: part.length / d });
        found.forEach(({ mean, std }, f) => {
          const offset = from * done[f]!.m;
          mean.set(results[`mean${f}`] as Float64Array, offset);
          std.set((results[`variance${f}`] as Float64Array).map(Math.sqrt), offset);
        });
      }
      return found;
    });
    return { kind: "fitted", predictor: { ...predictor, dispose: () => executable.dispose() } };
  },
};
