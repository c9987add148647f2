/** The products of L-BFGS by the engine: a quarter of what loops in JavaScript take. */
import type { Engine } from "../engine/index.ts";
import { graphBuilder } from "../graph/index.ts";
import type { PairProducts } from "./optimisers/index.ts";

/** Products with 2 memory × size numbers. Dispose when done. */
export async function engineProducts(
  engine: Engine,
  memory: number,
  size: number,
): Promise<PairProducts & { dispose(): Promise<void> }> {
  const count = 2 * memory;
  const b = graphBuilder();
  const times = await engine.compile(
    b.build({ dots: b.matMul(b.input("rows", [count, size]), b.input("vector", [size, 1])) }),
  );
  const c = graphBuilder();
  const sum = c.matMul(c.input("coefficients", [1, count]), c.input("rows", [count, size]));
  const combine = await engine.compile(
    c.build({ sum: c.sum(sum, c.mul(c.input("vector", [1, size]), c.input("factor", [1, 1]))) }),
  );
  const rows = new Float32Array(count * size);
  const dots = new Float32Array(count);
  return {
    rows,
    async times(vector) {
      await times.run({ rows, vector }, { into: { dots } });
      return dots;
    },
    async combine(coefficients, factor, vector, out) {
      await combine.run({ coefficients, rows, vector, factor: Float32Array.of(factor) }, { into: { sum: out } });
    },
    async dispose() {
      await times.dispose();
      await combine.dispose();
    },
  };
}
