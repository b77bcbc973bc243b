import { GRID_ABLATION } from "../plan/grid-ablation.js";
import type { ExperimentPlan } from "../plan/plan.js";

/**
 * In how many wordings each task type's instruction is trained (templates of a task). All held-out rows are asked in nine
 * wordings, so that a score is a distribution over them.
 */
export default {
  ...GRID_ABLATION,
  name: "ablation-wordings",
  title: "Ablation: wordings of each task type's instruction",
  factors: { wordings: [1, 4, "all"] },
  evaluation: { ...GRID_ABLATION.evaluation, levels: ["seen"], "testRows.held-out-cell": 60, wordings: 9 },
  hypotheses: [
    {
      statement: "All wordings (27 or more) generalize better than one",
      a: { wordings: "all" },
      b: { wordings: 1 },
      direction: "a-is-higher",
      metric: "exact-match",
    },
    {
      statement: "All wordings generalize better than four",
      a: { wordings: "all" },
      b: { wordings: 4 },
      direction: "a-is-higher",
      metric: "exact-match",
    },
  ],
} satisfies ExperimentPlan;
