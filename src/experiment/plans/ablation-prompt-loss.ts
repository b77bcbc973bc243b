import { GRID_ABLATION } from "../plan/grid-ablation.js";
import type { ExperimentPlan } from "../plan/plan.js";

/** The loss on the answer alone, or on the prompt too. Matched on all tokens: prompts are then targets of one arm. */
export default {
  ...GRID_ABLATION,
  name: "ablation-prompt-loss",
  title: "Ablation: loss on the prompt",
  factors: { lossOn: ["response", "all"] },
  budget: { unit: "total-tokens", amount: 200_000 },
  hypotheses: [
    {
      statement: "Loss on the answer alone and on the whole row differ on held-out task types",
      a: { lossOn: "response" },
      b: { lossOn: "all" },
      direction: "they-differ",
      metric: "exact-match",
    },
  ],
} satisfies ExperimentPlan;
