import { NATURAL_ABLATION } from "../plan/natural-ablation.js";
import type { ExperimentPlan } from "../plan/plan.js";

const ALPACA = "../shared/datasets/alpaca";

/**
 * About nine thousand rows of Alpaca drawn at random, against as many that a language model rated 4.5 or more of 5 (AlpaGasus, Chen
 * et al. 2023), under one budget, asked the held-out tasks of Super-NaturalInstructions.
 */
export default {
  ...NATURAL_ABLATION,
  name: "ablation-data-quality",
  title: "Ablation: random against rated instruction data",
  factors: {
    training: [
      { name: "random", set: { trainingData: `${ALPACA}/alpaca_random_9k.json` } },
      { name: "rated", set: { trainingData: `${ALPACA}/alpagasus_claude_t45.json` } },
    ],
  },
  hypotheses: [
    {
      statement: "Rated rows beat random ones on held-out tasks",
      a: { training: "rated" },
      b: { training: "random" },
      direction: "a-is-higher",
      metric: "rouge-l",
    },
  ],
} satisfies ExperimentPlan;
