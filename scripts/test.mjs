// `npm test`: installs what is missing, then type check, ESLint, Prettier and vitest. The last line is
// `N passed, N failed`: tests of vitest, and one failure for each other step that fails. Arguments go to vitest:
// `npm test -- test/graph` runs the tests of one room. `--static` leaves vitest out, `--only-vitest` all else.
import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { install } from "./install.mjs";

const root = fileURLToPath(new URL("..", import.meta.url));
const bins = `${root}node_modules`;
const args = process.argv.slice(2);
const wanted = { static: !take("--only-vitest"), vitest: !take("--static") };
const results = [];

install();
if (wanted.static) {
  step("type check (tsc)", [`${bins}/typescript/bin/tsc`, "-p", "."]);
  step("lint (ESLint)", [`${bins}/eslint/bin/eslint.js`, "--max-warnings=0", "."]);
  step("format (Prettier)", [`${bins}/prettier/bin/prettier.cjs`, "--check", "--log-level=warn", "."]);
}
const tests = wanted.vitest ? vitest() : { passed: 0, failed: 0, skipped: [] };
summary();

function take(flag) {
  const at = args.indexOf(flag);
  if (at >= 0) args.splice(at, 1);
  return at >= 0;
}

function step(name, command) {
  console.log(`\n== ${name} ==`);
  const started = Date.now();
  const { status } = spawnSync(process.execPath, command, { cwd: root, stdio: "inherit" });
  const seconds = ((Date.now() - started) / 1000).toFixed(1);
  const ok = status === 0;
  results.push({ name, ok, seconds });
  console.log(`${name}: ${ok ? "ok" : "FAILED"} in ${seconds} s`);
  return ok;
}

function vitest() {
  const folder = mkdtempSync(join(tmpdir(), "condense-test-"));
  const file = join(folder, "vitest.json");
  const reporters = ["--reporter=default", "--reporter=json", `--outputFile.json=${file}`];
  const ok = step("tests (vitest)", [`${bins}/vitest/vitest.mjs`, "run", ...reporters, ...args]);
  try {
    return count(JSON.parse(readFileSync(file, "utf8")), ok);
  } catch {
    return { passed: 0, failed: 1, skipped: [] }; // vitest ended before it wrote a report
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** A file that fails before its first test is one failure; so is an error outside all tests. */
function count(report, ok) {
  const files = report.testResults.filter(
    (f) => f.status === "failed" && f.assertionResults.every((t) => t.status !== "failed"),
  );
  const failed = report.numFailedTests + files.length;
  const all = report.testResults.flatMap((f) => f.assertionResults);
  return {
    passed: report.numPassedTests,
    failed: ok ? failed : Math.max(1, failed),
    skipped: all.filter((t) => t.status !== "passed" && t.status !== "failed").map((t) => t.fullName),
  };
}

function summary() {
  console.log("\n== summary ==");
  for (const { name, ok, seconds } of results) console.log(`${ok ? "ok    " : "FAILED"} ${name} (${seconds} s)`);
  for (const name of tests.skipped) console.log(`skipped ${name}`);
  const failed = tests.failed + results.filter((r) => !r.ok && !r.name.startsWith("tests")).length;
  console.log(`${tests.passed} passed, ${failed} failed`);
  process.exitCode = failed > 0 ? 1 : 0;
}
