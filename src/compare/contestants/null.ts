/** Knows nothing of the inputs: the mean and standard deviation of the training runs. Whoever does no better has learned nothing. */
import type { Contestant } from "../contestant.ts";
import { gaussianPredictor, scaledTable } from "../gaussian.ts";

export const nullModel: Contestant = {
  name: "null",
  title: "mean and std of the runs",
  source: "no model",
  work: 0.1,
  async fit({ runs }) {
    const table = scaledTable(runs);
    const sizes = table.z.map((z) => z.length / table.n);
    const predictor = gaussianPredictor(runs, table, async (x) => {
      const rows = x.length / table.width;
      return sizes.map((size) => ({ mean: new Float64Array(rows * size), std: new Float64Array(rows * size).fill(1) }));
    });
    return { kind: "fitted", predictor };
  },
};
