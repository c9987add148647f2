import { describe, expect, it } from "vitest";
import { readTexts } from "./texts.ts";

const THIS_FILE = "test/architecture/paths.test.ts";

const FORBIDDEN = [
  { what: "a folder beside the clone", pattern: /(\.\.\/)+shared\b/ },
  { what: "a path of one machine", pattern: /(?<![\w.:/)}-])\/(work|root|home\/\w+)\// },
];

function findings(texts: ReadonlyMap<string, string>): string[] {
  return [...texts].flatMap(([path, text]) =>
    text.split("\n").flatMap((line, i) => {
      const found = FORBIDDEN.filter(({ pattern }) => pattern.test(line));
      return found.map(({ what }) => `${path}:${i + 1}: names ${what}: ${line.trim().slice(0, 80)}`);
    }),
  );
}

describe("the project's texts", () => {
  const folders = ["src", "cases", "notebooks", "bench", "test", "scripts", "bin", "docs", ".ci"];
  const texts = readTexts(folders, [".ts", ".mjs", ".md", ".json", ".html", ".css", ".py", ".sh", ".ci/run"]);

  it("name no path outside the clone", () => {
    expect([...texts.keys()]).toContain("scripts/test.mjs");
    expect(texts.delete(THIS_FILE)).toBe(true);
    expect(findings(texts)).toEqual([]);
  });

  it("would be caught if they did", () => {
    const faults = (line: string): string[] => findings(new Map([["docs/a.md", `fine\n${line}`]]));
    expect(faults(`open("../shared/data.csv")`)).toEqual([
      `docs/a.md:2: names a folder beside the clone: open("../shared/data.csv")`,
    ]);
    expect(faults("see ../../shared")).toHaveLength(1);
    for (const root of ["work", "root"]) {
      const line = `cd /${root}/project`;
      expect(faults(line)).toEqual([`docs/a.md:2: names a path of one machine: ${line}`]);
      expect(faults(`https://example.org/${root}/1, ../sharedMemory.ts, src/${root}/`)).toEqual([]);
    }
    expect(faults(`"/home/ada/x"`)).toHaveLength(1);
  });
});
