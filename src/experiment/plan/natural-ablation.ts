import { OFFICIAL_LEAKS } from "../natural-instructions/settings.js";
import type { ExperimentPlan } from "./plan.js";

/**
 * What the ablations on a folder of Super-NaturalInstructions tasks share: the official split, a small model from random
 * weights. `settings.data` is the folder. At this size scores are near the floors: larger models and budgets are for a
 * machine with time.
 */
export const NATURAL_ABLATION = {
  version: 1,
  suite: "natural-instructions",
  seeds: [1, 2, 3],
  settings: {
    format: "ift",
    data: "../shared/datasets/natural-instructions/tasks",
    vocabularySize: 2048,
    "decoder.width": 64,
    "decoder.layers": 2,
    "decoder.feedForwardWidth": 256,
  },
  budget: { unit: "supervised-tokens", amount: 60_000 },
  split: {
    heldOut: { kind: "official", track: "default" },
    leakage: { remove: "held-out", allow: [...OFFICIAL_LEAKS] },
    seenRowsPerTask: 2,
  },
  evaluation: { heldOutRowsPerTask: 4, seenTasks: 50, maxNewTokens: 16 },
} satisfies Partial<ExperimentPlan>;
