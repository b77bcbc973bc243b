import { GRID_ABLATION } from "../plan/grid-ablation.js";
import type { ExperimentPlan } from "../plan/plan.js";

/** How many different rows there are for the 90 task types under the same budget: fewer come more often. */
export default {
  ...GRID_ABLATION,
  name: "ablation-instances",
  title: "Ablation: instances of each task type at a fixed budget",
  factors: { trainingRows: [450, 1_800, 6_000] },
  hypotheses: [
    {
      statement: "67 instances of each task type generalize better than 5 that come more often",
      a: { trainingRows: 6_000 },
      b: { trainingRows: 450 },
      direction: "a-is-higher",
      metric: "exact-match",
    },
  ],
} satisfies ExperimentPlan;
