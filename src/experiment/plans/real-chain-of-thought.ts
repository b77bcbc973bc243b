import type { ExperimentPlan } from "../plan/plan.js";

/**
 * FLAN's chain of thought (Chung et al. 2022): the same questions trained with the reasoning before the answer, and with the answer
 * alone, under one budget of all tokens; scored on the answers. About twenty minutes of one core.
 */
export default {
  version: 1,
  name: "real-chain-of-thought",
  title: "FLAN's chain of thought: with and without rationales",
  suite: "public-data",
  factors: {
    response: [
      { name: "rationale", set: { template: "flan-cot" } },
      { name: "answer", set: { template: "flan-cot-answer" } },
    ],
  },
  seeds: [1, 2, 3, 4, 5],
  settings: {
    training: { data: "../shared/datasets/flan-cot", rowsPerTask: 500 },
    fitting: ["flan-cot"],
  },
  budget: { unit: "total-tokens", amount: 4_800_000 },
  split: { heldOut: ["strategyqa", "sensemaking"], seenRowsPerTask: 20 },
  evaluation: { answers: "generated", heldOutRowsPerTask: 60, benchmarks: [], maxNewTokens: 72 },
  hypotheses: [
    {
      statement: "At this size rationales do not help on held-out data sets",
      a: { response: "rationale" },
      b: { response: "answer" },
      direction: "a-is-lower",
      metric: "exact-match",
    },
    {
      statement: "At this size rationales do not help on new rows of trained data sets",
      a: { response: "rationale" },
      b: { response: "answer" },
      direction: "a-is-lower",
      metric: "exact-match",
      rows: { part: "seen" },
    },
  ],
} satisfies ExperimentPlan;
