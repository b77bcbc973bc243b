import { GRID_ABLATION } from "../plan/grid-ablation.js";
import type { ExperimentPlan } from "../plan/plan.js";

/**
 * Few-shot prompts and chains of thought in training. Few-shot models are asked with demonstrations and without, as the
 * zero-shot one is. Matched on optimizer steps: rows of the arms differ in length, but not in number.
 */
export default {
  ...GRID_ABLATION,
  name: "ablation-prompts",
  title: "Ablation: demonstrations and chains of thought in training",
  runs: [
    { arm: "zero-shot, asked zero-shot", set: {} },
    { arm: "zero-shot, asked with two", set: { "evaluation.demonstrations": 2 } },
    { arm: "two demonstrations, asked zero-shot", set: { demonstrations: 2 } },
    { arm: "two demonstrations, asked with two", set: { demonstrations: 2, "evaluation.demonstrations": 2 } },
    { arm: "chain of thought", set: { response: "chain-of-thought" } },
  ],
  budget: { unit: "steps", amount: 300 },
  hypotheses: [
    {
      statement: "Trained with demonstrations and asked with them beats zero-shot all along",
      a: { arm: "two demonstrations, asked with two" },
      b: { arm: "zero-shot, asked zero-shot" },
      direction: "a-is-higher",
      metric: "exact-match",
    },
    {
      statement: "Chains of thought beat the answer alone on held-out task types",
      a: { arm: "chain of thought" },
      b: { arm: "zero-shot, asked zero-shot" },
      direction: "a-is-higher",
      metric: "exact-match",
    },
  ],
} satisfies ExperimentPlan;
