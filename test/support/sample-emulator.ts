/** The small emulator of random weights of test/emulator/support.ts as a file, with all that a file says. */
import {
  EMULATOR_VERSION,
  emulatorBytes,
  emulatorGraph,
  type EmulatorInfo,
  planHeads,
} from "../../src/emulator/index.ts";
import { calibrationOf, partsOf, schema } from "../emulator/support.ts";

/** Its intervals are of level 0.9. */
export const sampleInfo: EmulatorInfo = {
  format: "condense-emulator",
  version: EMULATOR_VERSION,
  schema,
  level: 0.9,
  calibration: planHeads(schema).places.map(({ size }) => ({ quantiles: calibrationOf(size, true).quantiles })),
  data: { hash: "ab12", total: 201, used: 200, notes: ["1 row left out as exact copies of others."] },
  fit: {
    seed: 7,
    effort: "quick",
    engine: "onnxruntime",
    ensemble: "trained",
    loss: "mse",
    folds: 4,
    trend: "linear",
    weightDecay: 1e-3,
    stage: 0,
    outcome: "complete",
  },
  search: {
    strategy: "dense",
    source: "Kasim et al. 2021",
    steps: 12,
    outcome: "budget",
    spentMacs: 1e6,
    architecturesTried: 34,
    slots: 5,
    entropyBits: 1.25,
    best: "trunk/width 8, trunk/0-1 silu",
  },
  members: [
    {
      architecture: "0.1",
      description: "trunk/width 8, trunk/0-1 silu, field1/decoder linear",
      macs: 99,
      weights: 120,
      fitLoss: 1e-3,
      heldOutLoss: 2e-3,
      iterations: 10,
    },
  ],
  scores: schema.fields.map(({ name }, i) => ({ field: name, fvu: 0.01 * (i + 1), rmse: i + 1, mae: i + 0.5 })),
  latency: [],
  versions: { condense: "0.1.0" },
};

export const sampleBytes: Uint8Array = emulatorBytes(emulatorGraph(partsOf()), sampleInfo);
