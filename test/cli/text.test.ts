/** Progress lines, with a clock and a terminal of their own. */
import { describe, expect, test } from "vitest";
import { progressLine, showTime } from "../../src/cli/text.ts";
import { realFiles, type World } from "../../src/cli/world.ts";

function fakeWorld(isTerminal: boolean, columns = 60) {
  const written: string[] = [];
  const clock = { now: 1_000_000 };
  const world: World = {
    files: realFiles,
    out: () => {},
    err: (text) => written.push(text),
    isTerminal,
    columns,
    isPiped: false,
    stdin: { [Symbol.asyncIterator]: () => ({ next: () => Promise.resolve({ done: true, value: undefined }) }) },
    now: () => clock.now,
    cores: 1,
    env: {},
    onInterrupt: () => () => {},
    exit: () => {},
  };
  return { world, written, clock };
}

test.each([
  [0, "0s"],
  [59_400, "59s"],
  [60_000, "1m 00s"],
  [80_000, "1m 20s"],
  [3_599_000, "59m 59s"],
  [3_600_000, "1h 00m"],
  [9_000_000, "2h 30m"],
  [-5, "0s"],
])("%d ms are %s", (ms, text) => {
  expect(showTime(ms)).toBe(text);
});

describe("without a terminal", () => {
  test("says percentage, time spent and time left, a line every ten seconds", () => {
    const { world, written, clock } = fakeWorld(false);
    const progress = progressLine(world);
    for (let second = 0; second <= 40; second++) {
      clock.now = 1_000_000 + 1000 * second;
      progress.update(second < 20 ? "search" : "train", second / 80, `step ${second}`);
    }
    progress.done();
    expect(written).toEqual([
      "search   2 %  2s  step 2\n",
      "search  15 %  12s, 1m 08s left  step 12\n",
      "train   27 %  22s, 58s left  step 22\n",
      "train   40 %  32s, 48s left  step 32\n",
    ]);
  });

  test("never promises more time than there is", () => {
    const { world, written, clock } = fakeWorld(false);
    const progress = progressLine(world, clock.now + 30_000);
    clock.now += 10_000;
    progress.update("train", 0.1);
    expect(written).toEqual(["train   10 %  10s, 20s left\n"]);
  });
});

describe("on a terminal", () => {
  test("rewrites one line, wiping what a longer one left, and takes it away at the end", () => {
    const { world, written, clock } = fakeWorld(true);
    const progress = progressLine(world);
    progress.update("search", 0, "a long note");
    clock.now += 1000;
    progress.update("train", 0.5);
    clock.now += 100;
    progress.update("train", 0.6); // too soon
    progress.done();
    const [first, second, wiped, ...more] = written;
    expect(first).toBe("\rsearch   0 %  0s  a long note");
    expect(second).toBe(`\r${"train   50 %  1s, 1s left".padEnd(first!.length - 1)}`);
    expect(wiped).toMatch(/^\r {20,}\r$/);
    expect(more).toEqual([]);
  });

  test("never wraps, and gives way to a message", () => {
    const { world, written, clock } = fakeWorld(true, 40);
    const progress = progressLine(world);
    progress.update("train", 0.5, "member 2: loss 4.0e-6, as small as can be");
    expect(written.join("").length).toBeLessThanOrEqual(40);
    progress.say("stopping");
    clock.now += 1000;
    progress.update("train", 0.6);
    expect(written[1]).toMatch(/^\r {39}\r$/);
    expect(written[2]).toBe("stopping\n");
    expect(written[3]).toBe("\rtrain   60 %  1s, 1s left");
  });
});
