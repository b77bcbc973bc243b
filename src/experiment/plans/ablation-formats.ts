import { GRID_ABLATION } from "../plan/grid-ablation.js";
import type { ExperimentPlan } from "../plan/plan.js";

/** How the same rows are shown in training: what an instruction tells, and what its words alone do. */
export default {
  ...GRID_ABLATION,
  name: "ablation-formats",
  title: "Ablation: how rows are shown in training",
  factors: { format: ["ift", "sft", "sft-tag", "ift-shuffled", "ift-swapped"] },
  hypotheses: [
    {
      statement: "IFT beats SFT on held-out task types",
      a: { format: "ift" },
      b: { format: "sft" },
      direction: "a-is-higher",
      metric: "exact-match",
    },
    {
      statement: "IFT beats opaque task tags on held-out task types",
      a: { format: "ift" },
      b: { format: "sft-tag" },
      direction: "a-is-higher",
      metric: "exact-match",
    },
    {
      statement: "True instructions beat those of another row",
      a: { format: "ift" },
      b: { format: "ift-shuffled" },
      direction: "a-is-higher",
      metric: "exact-match",
    },
    {
      statement: "True instructions beat those of another task type",
      a: { format: "ift" },
      b: { format: "ift-swapped" },
      direction: "a-is-higher",
      metric: "exact-match",
    },
  ],
} satisfies ExperimentPlan;
