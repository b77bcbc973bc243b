import { GRID_ABLATION } from "../plan/grid-ablation.js";
import type { ExperimentPlan } from "../plan/plan.js";

/** How many task types the training rows are of, with as many rows and the same budget. */
export default {
  ...GRID_ABLATION,
  name: "ablation-task-types",
  title: "Ablation: number of training task types",
  factors: { trainingCells: [10, 30, 90] },
  hypotheses: [
    {
      statement: "90 training task types generalize better than 10",
      a: { trainingCells: 90 },
      b: { trainingCells: 10 },
      direction: "a-is-higher",
      metric: "exact-match",
    },
    {
      statement: "90 training task types generalize better than 30",
      a: { trainingCells: 90 },
      b: { trainingCells: 30 },
      direction: "a-is-higher",
      metric: "exact-match",
    },
  ],
} satisfies ExperimentPlan;
