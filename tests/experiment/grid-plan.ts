import { type ExperimentPlan, parsePlan } from "../../src/experiment/plan/plan.js";

/** Three factors, 24 runs of about a tenth of a second: it shows that the line works, its scores say nothing. */
const GRID = {
  version: 1,
  name: "tiny-grid",
  suite: "string-rewrite",
  factors: {
    format: ["ift", "sft", "ift-shuffled"],
    trainingRules: [2, 20],
    size: [
      { name: "narrow", set: { "decoder.width": 8 } },
      { name: "wide", set: { "decoder.width": 12 } },
    ],
  },
  seeds: [1, 2],
  settings: {
    language: {
      alphabet: "abcdefgh",
      leftLength: { min: 1, max: 1 },
      rightLength: { min: 2, max: 2 },
      inputLength: { min: 3, max: 5 },
    },
    trainingRows: 100,
    rowsPerStep: 16,
    "decoder.layers": 1,
    "decoder.heads": 2,
    "decoder.feedForwardWidth": 16,
    "decoder.contextLength": 24,
  },
  budget: { unit: "supervised-tokens", amount: 200 },
  split: { heldOutRules: 4 },
  evaluation: { testRows: 4 },
  hypotheses: [
    {
      statement: "IFT beats SFT",
      a: { format: "ift" },
      b: { format: "sft" },
      direction: "a-is-higher",
      metric: "exact-match",
    },
  ],
} satisfies ExperimentPlan;

/** The plan of the tests on grids. */
export const GRID_PLAN = parsePlan(GRID);
