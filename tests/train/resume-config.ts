import type { TrainConfig } from "../../src/train/config.js";

/** Five epochs and a bit of 40 rows, and a last step that the budget cuts. */
export const RESUME_CONFIG: TrainConfig = {
  budget: { unit: "supervised-tokens", amount: 750 },
  batch: { kind: "bucketed", rowsPerStep: 8 },
  microBatchRows: 5,
  optimizer: { learningRate: 0.01, beta1: 0.9, beta2: 0.98, epsilon: 1e-8, weightDecay: 0.1, clipNorm: 1 },
  schedule: { kind: "cosine", warmupFraction: 0.1, finalFraction: 0.1 },
  seed: 1,
};
