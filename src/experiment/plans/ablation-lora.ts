import { GRID_ABLATION } from "../plan/grid-ablation.js";
import type { ExperimentPlan } from "../plan/plan.js";

const ATTENTION = ["attention.queryKeyValue", "attention.output"];
const ALL_LAYERS = [...ATTENTION, "feedForward.*"];

/** Settings of low-rank updates; they take a larger step than all weights do. */
function lora(
  rank: number,
  targets: string[],
): {
  tuning: { kind: string; rank: number; alpha: number; targets: string[] };
  learningRate: number;
} {
  return { tuning: { kind: "lora", rank, alpha: 2 * rank, targets }, learningRate: 1e-2 };
}

/** All weights, or low-rank updates of two ranks, of attention alone or of all linear layers. */
export default {
  ...GRID_ABLATION,
  name: "ablation-lora",
  title: "Ablation: all weights, or low-rank updates",
  factors: {
    tuning: [
      { name: "full", set: {} },
      { name: "rank 2, attention", set: lora(2, ATTENTION) },
      { name: "rank 16, attention", set: lora(16, ATTENTION) },
      { name: "rank 16, all layers", set: lora(16, ALL_LAYERS) },
    ],
  },
  hypotheses: [
    {
      statement: "All weights beat updates of rank 2 in attention on held-out task types",
      a: { tuning: "full" },
      b: { tuning: "rank 2, attention" },
      direction: "a-is-higher",
      metric: "exact-match",
    },
    {
      statement: "Updates of rank 16 in all layers beat those in attention alone",
      a: { tuning: "rank 16, all layers" },
      b: { tuning: "rank 16, attention" },
      direction: "a-is-higher",
      metric: "exact-match",
    },
  ],
} satisfies ExperimentPlan;
