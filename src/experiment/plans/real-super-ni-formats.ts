import type { ExperimentPlan } from "../plan/plan.js";
import { REAL_SUPER_NI } from "../plan/real-super-ni.js";

/** The same rows of Super-NaturalInstructions with their definitions, without, and with those of other tasks. */
export default {
  ...REAL_SUPER_NI,
  name: "real-super-ni-formats",
  title: "Super-NaturalInstructions: SFT against IFT",
  factors: { format: ["ift", "sft", "ift-shuffled"] },
  hypotheses: [
    {
      statement: "IFT beats SFT on held-out task types",
      a: { format: "ift" },
      b: { format: "sft" },
      direction: "a-is-higher",
      metric: "rouge-l",
    },
    {
      statement: "True definitions beat those of another row on held-out task types",
      a: { format: "ift" },
      b: { format: "ift-shuffled" },
      direction: "a-is-higher",
      metric: "rouge-l",
    },
    {
      statement: "IFT beats SFT on new rows of trained tasks",
      a: { format: "ift" },
      b: { format: "sft" },
      direction: "a-is-higher",
      metric: "rouge-l",
      rows: { part: "seen" },
    },
  ],
} satisfies ExperimentPlan;
