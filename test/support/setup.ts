import fc from "fast-check";

// Properties draw the same examples on every machine; a failure prints the path that replays it.
fc.configureGlobal({ seed: 20260101, numRuns: 100 });
