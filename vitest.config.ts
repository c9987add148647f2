import { availableParallelism } from "node:os";
import { defineConfig } from "vitest/config";

/** Test files run in separate processes: the engines hold native state that threads of one process would share. */
export default defineConfig({
  test: {
    include: ["test/**/*.test.ts"],
    setupFiles: ["test/support/setup.ts"],
    pool: "forks",
    maxWorkers: Math.min(8, availableParallelism()),
    testTimeout: 60_000,
    hookTimeout: 60_000,
  },
});
