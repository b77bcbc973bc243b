import { GRID_ABLATION } from "../plan/grid-ablation.js";
import type { ExperimentPlan } from "../plan/plan.js";

/**
 * Rows by themselves, packed behind the block mask, and packed without it, where rows see those before them: the error that
 * the mask prevents, measured.
 */
export default {
  ...GRID_ABLATION,
  name: "ablation-packing",
  title: "Ablation: packing with and without the block mask",
  factors: { batching: ["rows", "packed", "packed-without-mask"] },
  hypotheses: [
    {
      statement: "Packing behind the block mask costs less than 10 points",
      a: { batching: "packed" },
      b: { batching: "rows" },
      direction: "they-are-equivalent",
      margin: 0.1,
      metric: "exact-match",
    },
    {
      statement: "Without the mask packing generalizes worse",
      a: { batching: "packed" },
      b: { batching: "packed-without-mask" },
      direction: "a-is-higher",
      metric: "exact-match",
    },
  ],
} satisfies ExperimentPlan;
