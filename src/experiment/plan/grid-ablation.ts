import type { ExperimentPlan } from "./plan.js";

/**
 * What the ablations on the grid of the mini world share, so that their main arm is one and the same run, which a store does
 * once: the base decoder that ships, tuned with instructions on 90 task types for less than a minute. Larger seeds, rows and
 * budgets give narrower intervals.
 */
export const GRID_ABLATION = {
  version: 1,
  suite: "mini-grid",
  seeds: [1, 2, 3],
  settings: { format: "ift", trainingCells: 90, trainingRows: 6_000, rowsPerStep: 16, learningRate: 2e-3 },
  budget: { unit: "supervised-tokens", amount: 20_000 },
  evaluation: {
    levels: ["seen", "held-out-cell"],
    "testRows.seen": 90,
    "testRows.held-out-cell": 90,
    // The main arm's rows are those of other plans too: as many levels are drawn as the largest number of rows says.
    "testRows.unseen-slot-words": 30,
    "testRows.unseen-paraphrase": 30,
    "testRows.unseen-kind": 30,
    "testRows.held-out-selector": 30,
    "testRows.held-out-format": 30,
  },
} as const satisfies Partial<ExperimentPlan>;
