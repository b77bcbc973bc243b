import { OFFICIAL_LEAKS } from "../natural-instructions/settings.js";
import type { ExperimentPlan } from "./plan.js";

/**
 * What the plans of notebook 09 on Super-NaturalInstructions share: the official split, every held-out task asked, a small model from
 * random weights with a tokenizer of the training rows. One to three minutes a run on one core.
 */
export const REAL_SUPER_NI = {
  version: 1,
  suite: "natural-instructions",
  seeds: [1, 2, 3],
  settings: {
    format: "ift",
    data: "../shared/datasets/natural-instructions/tasks",
    vocabularySize: 2048,
    "decoder.width": 128,
    "decoder.layers": 2,
    "decoder.feedForwardWidth": 512,
  },
  budget: { unit: "supervised-tokens", amount: 420_000 },
  split: {
    heldOut: { kind: "official", track: "default" },
    leakage: { remove: "held-out", allow: [...OFFICIAL_LEAKS] },
    seenRowsPerTask: 2,
  },
  evaluation: { heldOutRowsPerTask: 8, seenTasks: 100, maxNewTokens: 24 },
} satisfies Partial<ExperimentPlan>;
