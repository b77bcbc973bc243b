import type { ExperimentPlan } from "../plan/plan.js";

const DATA = "../shared/datasets";
const BASE = "datasets/checkpoints/decoder";
const pretrained = { kind: "checkpoint", folder: BASE } as const;

/**
 * The base decoder that ships, tuned on instruction data of four kinds under one budget and asked IFEval's prompts: Alpaca's rows at
 * random and those that a language model rated 4.5 or more of 5 (AlpaGasus, Chen et al. 2023), Dolly's rated rows, the 175 seeds of
 * Self-Instruct; and the random rows again from random weights.
 */
export default {
  version: 1,
  name: "real-following",
  title: "Instruction data and IFEval's constraints",
  suite: "instruction-following",
  factors: {
    training: [
      {
        name: "Alpaca, random",
        set: { trainingData: `${DATA}/alpaca/alpaca_random_9k.json`, start: pretrained },
      },
      {
        name: "Alpaca, rated",
        set: { trainingData: `${DATA}/alpaca/alpagasus_claude_t45.json`, start: pretrained },
      },
      { name: "Dolly, rated", set: { trainingData: `${DATA}/dolly`, start: pretrained } },
      {
        name: "Self-Instruct seeds",
        set: { trainingData: `${DATA}/self-instruct/seed_tasks.jsonl`, start: pretrained },
      },
      {
        name: "Alpaca, random, from random weights",
        set: {
          trainingData: `${DATA}/alpaca/alpaca_random_9k.json`,
          start: { kind: "random-like", folder: BASE },
        },
      },
    ],
  },
  seeds: [1, 2, 3],
  budget: { unit: "supervised-tokens", amount: 600_000 },
  evaluation: { data: `${DATA}/ifeval`, prompts: 541, maxNewTokens: 96 },
  hypotheses: [
    {
      statement: "Rated Alpaca rows beat random ones on IFEval",
      a: { training: "Alpaca, rated" },
      b: { training: "Alpaca, random" },
      direction: "a-is-higher",
      metric: "instruction-strict",
    },
    {
      statement: "Alpaca beats the seeds of Self-Instruct on IFEval",
      a: { training: "Alpaca, random" },
      b: { training: "Self-Instruct seeds" },
      direction: "a-is-higher",
      metric: "instruction-strict",
    },
    {
      statement: "The base that ships beats random weights on IFEval",
      a: { training: "Alpaca, random" },
      b: { training: "Alpaca, random, from random weights" },
      direction: "a-is-higher",
      metric: "instruction-strict",
    },
  ],
} satisfies ExperimentPlan;
