import { describe, expect, it } from "vitest";
import { believedNoise } from "../../src/emulator/believed-noise.ts";
import { makeRng } from "../../src/index.ts";

/** Held-out errors of 4000 runs: noise of variance 0.5 in both, each one's own of variance 0.3, of which `common` is both's. */
function errors(common: number) {
  const rng = makeRng(71);
  const [networks, companion]: [number[], number[]] = [[], []];
  for (let i = 0; i < 4000; i++) {
    const both = Math.sqrt(0.5) * rng.normal() + Math.sqrt(common) * rng.normal();
    const own = (): number => Math.sqrt(0.3 - common) * rng.normal();
    networks.push(both + own());
    companion.push(both + own());
  }
  return { networks, companion, everyRun: true };
}

describe("believedNoise()", () => {
  it("believes a companion that both bear out", () => {
    expect(believedNoise(0.49, errors(0.1))).toBe(0.7);
  });

  it("takes a companion's misfit, which the networks do not share, out of its noise", () => {
    // The variance of a sample covariance of normals: (a b + c^2) / n.
    const error = Math.sqrt((0.8 * 0.8 + 0.5 ** 2) / 4000);
    expect(Math.abs(believedNoise(0.75, errors(0)) ** 2 - 0.5)).toBeLessThan(4 * error);
    expect(Math.abs(believedNoise(0.75, errors(0.1)) ** 2 - 0.6)).toBeLessThan(4 * error);
  });

  it("believes the companion where few runs tell", () => {
    expect(believedNoise(0.81, { ...errors(0), everyRun: false })).toBe(0.9);
  });

  it("believes no noise where networks miss by much less", () => {
    expect(believedNoise(1.2, errors(0))).toBe(0);
  });
});
