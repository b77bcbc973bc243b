import type { ExperimentPlan } from "../plan/plan.js";

/**
 * T0's protocol (Sanh et al. 2022) on rows of P3: trained on prompts of many data sets, asked by rank classification over all templates
 * of held-out ones. The rows at hand are of T0's training mixture, so whole clusters and data sets of that are held out: the cluster
 * of paraphrases, and two data sets of trained clusters.
 */
export default {
  version: 1,
  name: "real-t0",
  title: "T0's protocol on rows of P3",
  suite: "public-data",
  factors: { training: [{ name: "P3", set: {} }] },
  seeds: [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12],
  settings: {
    training: { data: "../shared/datasets/p3-t0-train", rowsPerTask: 40 },
    "decoder.contextLength": 320,
  },
  budget: { unit: "total-tokens", amount: 3_600_000 },
  split: { heldOut: ["paraphrase", "yelp_review_full", "wiqa"], seenRowsPerTask: 8 },
  evaluation: { answers: "ranked", heldOutRowsPerTask: 40, benchmarks: [], maxNewTokens: 1 },
} satisfies ExperimentPlan;
