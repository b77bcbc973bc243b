import { GRID_ABLATION } from "../plan/grid-ablation.js";
import type { ExperimentPlan } from "../plan/plan.js";

const BASE = "datasets/checkpoints/decoder";

/** The base decoder that ships, or random weights of its shape with its tokenizer, under the same budget. */
export default {
  ...GRID_ABLATION,
  name: "ablation-pretraining",
  title: "Ablation: pre-trained or random start",
  factors: {
    start: [
      { name: "pre-trained", set: { start: { kind: "checkpoint", folder: BASE } } },
      { name: "random", set: { start: { kind: "random-like", folder: BASE } } },
    ],
  },
  hypotheses: [
    {
      statement: "The pre-trained start beats the random one on held-out task types",
      a: { start: "pre-trained" },
      b: { start: "random" },
      direction: "a-is-higher",
      metric: "exact-match",
    },
  ],
} satisfies ExperimentPlan;
