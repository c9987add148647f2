/**
 * The response surface: all terms up to second order by ridge regression, the ridge chosen per output by leave-one-out,
 * and the leave-one-out residuals' root mean square as the standard deviation everywhere.
 */
import { fitTrend } from "../../train/index.ts";
import type { Contestant } from "../contestant.ts";
import { gaussianPredictor, scaledTable } from "../gaussian.ts";

/** With more terms than this the products of two inputs are left out, and squares stay. */
const mostTerms = 300;

/** x, then products x_i x_j, i <= j, or squares alone. @param x rows x width */
function termsOf(x: Float64Array, width: number): { readonly terms: Float32Array; readonly count: number } {
  const full = width + (width * (width + 1)) / 2 <= mostTerms;
  const count = full ? width + (width * (width + 1)) / 2 : 2 * width;
  const rows = x.length / width;
  const terms = new Float32Array(rows * count);
  let at = 0;
  for (let i = 0; i < rows; i++) {
    const row = x.subarray(i * width, (i + 1) * width);
    for (let a = 0; a < width; a++) terms[at++] = row[a]!;
    for (let a = 0; a < width; a++) for (let c = a; c < (full ? width : a + 1); c++) terms[at++] = row[a]! * row[c]!;
  }
  return { terms, count };
}

export const quadratic: Contestant = {
  name: "quadratic",
  title: "quadratic ridge",
  source: "Box & Wilson 1951, JRSS B 13; ridge by leave-one-out: Hastie, Tibshirani & Friedman 2009, eq. 7.64",
  work: 1,
  async fit({ runs }) {
    const table = scaledTable(runs);
    const { terms, count } = termsOf(table.x, table.width);
    const rows = Int32Array.from({ length: table.n }, (_, i) => i);
    const surfaces = table.z.map((z) => fitTrend(terms, z, count, rows));
    const predictor = gaussianPredictor(runs, table, async (x) => {
      const asked = termsOf(x, table.width).terms;
      const n = x.length / table.width;
      return surfaces.map(({ weights, bias, scale }) => {
        const size = bias.length;
        const mean = new Float64Array(n * size);
        for (let i = 0; i < n; i++)
          for (let k = 0; k < size; k++) {
            let sum = bias[k]!;
            for (let t = 0; t < count; t++) sum += asked[i * count + t]! * weights[t * size + k]!;
            mean[i * size + k] = sum;
          }
        return { mean, std: mean.map((_, i) => scale[i % size]!) };
      });
    });
    return { kind: "fitted", predictor };
  },
};
