import type { ExperimentPlan } from "../plan/plan.js";

const DATA = "../shared/datasets";
const BBH = `${DATA}/big-bench-hard`;

/**
 * Instruction induction (Honovich et al. 2022) and BIG-Bench Hard (Suzgun et al. 2022) as evaluation only: asked of models that were
 * tuned on the training tasks of Super-NaturalInstructions with their definitions, and without. About twenty minutes of one core:
 * for more than the floors raise the budget and the model.
 */
export default {
  version: 1,
  name: "real-benchmarks",
  title: "Instruction induction and BIG-Bench Hard, asked only",
  suite: "public-data",
  factors: {
    format: [
      { name: "ift", set: { template: "ift-definition" } },
      { name: "sft", set: { template: "sft-plain" } },
    ],
  },
  seeds: [1, 2, 3, 4, 5],
  settings: {
    training: {
      data: `${DATA}/natural-instructions/tasks`,
      officialTrack: "default",
      rowsPerTask: 15,
    },
    fitting: ["ift-definition"],
  },
  budget: { unit: "supervised-tokens", amount: 400_000 },
  split: { heldOut: [], seenRowsPerTask: 0 },
  evaluation: {
    answers: "generated",
    heldOutRowsPerTask: 1,
    benchmarks: [
      {
        name: "instruction induction",
        data: `${DATA}/instruction-induction/raw/execute`,
        answers: "generated",
        rowsPerTask: 10,
      },
      { name: "BBH, generated", data: BBH, answers: "generated", rowsPerTask: 5 },
      { name: "BBH, options ranked", data: BBH, answers: "ranked", rowsPerTask: 10 },
    ],
    maxNewTokens: 16,
  },
  hypotheses: [
    {
      statement: "IFT beats SFT on instruction induction",
      a: { format: "ift" },
      b: { format: "sft" },
      direction: "a-is-higher",
      metric: "exact-match",
      rows: { level: "instruction induction" },
    },
    {
      statement: "IFT beats SFT on BBH, answers generated",
      a: { format: "ift" },
      b: { format: "sft" },
      direction: "a-is-higher",
      metric: "exact-match",
      rows: { level: "BBH, generated" },
    },
    {
      statement: "IFT and SFT are within 5 points on BBH, options ranked",
      a: { format: "ift" },
      b: { format: "sft" },
      direction: "they-are-equivalent",
      margin: 0.05,
      metric: "exact-match",
      rows: { level: "BBH, options ranked" },
    },
  ],
} satisfies ExperimentPlan;
