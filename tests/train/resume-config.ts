import type { Spans } from "../../src/data/spans.js";
import type { TrainConfig } from "../../src/train/config.js";
import { waveRows } from "./stand-in.js";

/** Five epochs and a bit of 40 rows, and a last step that the budget cuts. */
export const RESUME_CONFIG: TrainConfig = {
  budget: { unit: "supervised-tokens", amount: 750 },
  batch: { kind: "bucketed", rowsPerStep: 8 },
  microBatchRows: 5,
  optimizer: { learningRate: 0.01, beta1: 0.9, beta2: 0.98, epsilon: 1e-8, weightDecay: 0.1, clipNorm: 1 },
  schedule: { kind: "cosine", warmupFraction: 0.1, finalFraction: 0.1 },
  seed: 1,
};

/** Validation beside it, whose best weights are kept; the budget is used all the same. */
export const RESUME_VALIDATION: { readonly config: Partial<TrainConfig>; readonly rows: readonly Spans[] } = {
  config: {
    validation: {
      everySteps: 3,
      earlyStopping: { on: "task-types", patience: 1000, minimumImprovement: 0 },
    },
  },
  rows: waveRows(8).map((row, index) => ({
    ...row,
    ids: row.ids.map((id) => (id * 2 + 1) % 11),
    taskType: index % 2 === 0 ? "even" : "odd",
  })),
};
