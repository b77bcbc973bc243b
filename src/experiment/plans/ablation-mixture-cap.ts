import { NATURAL_ABLATION } from "../plan/natural-ablation.js";
import type { ExperimentPlan } from "../plan/plan.js";

/** How many rows of a task type the mixture takes at most, on a folder of Super-NaturalInstructions tasks. */
export default {
  ...NATURAL_ABLATION,
  name: "ablation-mixture-cap",
  title: "Ablation: cap of the mixture",
  factors: {
    mixtureCap: [30, 120, 480],
  },
  hypotheses: [
    {
      statement: "A cap of 120 rows a task type beats one of 480 on held-out task types",
      a: { mixtureCap: 120 },
      b: { mixtureCap: 480 },
      direction: "a-is-higher",
      metric: "rouge-l",
    },
  ],
} satisfies ExperimentPlan;
