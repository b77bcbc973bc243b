import type { ExperimentPlan } from "../plan/plan.js";
import { REAL_SUPER_NI } from "../plan/real-super-ni.js";

const BASE = "datasets/checkpoints/decoder";

/**
 * Super-NaturalInstructions from the base decoder that ships, and from random weights of its shape: whether what it knows of the mini
 * world's English is of use for other people's. Its window of 256 tokens and its tokenizer leave out the rows with long definitions, in
 * every arm the same.
 */
export default {
  ...REAL_SUPER_NI,
  name: "real-super-ni-base",
  title: "Super-NaturalInstructions from the base that ships",
  factors: {
    start: [
      { name: "base", set: { start: { kind: "checkpoint", folder: BASE } } },
      { name: "random", set: { start: { kind: "random-like", folder: BASE } } },
    ],
    format: ["ift", "sft"],
  },
  settings: {
    format: "ift",
    data: "../shared/datasets/natural-instructions/tasks",
    learningRate: 1e-3,
  },
  seeds: [1, 2, 3, 4],
  budget: { unit: "supervised-tokens", amount: 100_000 },
  hypotheses: [
    {
      statement: "IFT beats SFT on held-out task types, from the base",
      a: { start: "base", format: "ift" },
      b: { start: "base", format: "sft" },
      direction: "a-is-higher",
      metric: "rouge-l",
    },
    {
      statement: "The base beats random weights on held-out task types, as IFT",
      a: { start: "base", format: "ift" },
      b: { start: "random", format: "ift" },
      direction: "a-is-higher",
      metric: "rouge-l",
    },
    {
      statement: "The base beats random weights on new rows of trained tasks, as IFT",
      a: { start: "base", format: "ift" },
      b: { start: "random", format: "ift" },
      direction: "a-is-higher",
      metric: "rouge-l",
      rows: { part: "seen" },
    },
  ],
} satisfies ExperimentPlan;
