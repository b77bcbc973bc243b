import type { ExperimentPlan } from "../plan/plan.js";

/**
 * String rewriting: what an instruction adds at two numbers of training instructions and two widths of the model. Three
 * factors, 24 runs; about 15 minutes on two cores.
 */
export default {
  version: 1,
  name: "rewrite-formats",
  title: "String rewriting: format, number of instructions, width",
  suite: "string-rewrite",
  factors: {
    format: ["ift", "ift-shuffled", "sft"],
    trainingRules: [30, 1000],
    size: [
      { name: "narrow", set: { "decoder.width": 32, "decoder.feedForwardWidth": 128 } },
      { name: "wide", set: { "decoder.width": 64, "decoder.feedForwardWidth": 256 } },
    ],
  },
  seeds: [1, 2],
  settings: { learningRate: 3e-3, rowsPerStep: 32 },
  budget: { unit: "supervised-tokens", amount: 400_000 },
  split: { heldOutRules: 100 },
  evaluation: { testRows: 400 },
  hypotheses: [
    {
      statement: "With 1,000 training instructions, IFT beats SFT on rules never trained on",
      a: { format: "ift", trainingRules: 1000 },
      b: { format: "sft", trainingRules: 1000 },
      direction: "a-is-higher",
      metric: "exact-match",
    },
    {
      statement:
        "With 1,000 training instructions, true instructions beat shuffled ones on rules never trained on",
      a: { format: "ift", trainingRules: 1000 },
      b: { format: "ift-shuffled", trainingRules: 1000 },
      direction: "a-is-higher",
      metric: "exact-match",
    },
    {
      statement: "1,000 training instructions generalize better than 30",
      a: { format: "ift", trainingRules: 1000 },
      b: { format: "ift", trainingRules: 30 },
      direction: "a-is-higher",
      metric: "exact-match",
    },
    {
      statement: "The wide model does rules never trained on better than the narrow one",
      a: { format: "ift", trainingRules: 1000, size: "wide" },
      b: { format: "ift", trainingRules: 1000, size: "narrow" },
      direction: "a-is-higher",
      metric: "exact-match",
    },
  ],
} satisfies ExperimentPlan;
