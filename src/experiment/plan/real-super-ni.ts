import { NATURAL_ABLATION } from "./natural-ablation.js";
import type { ExperimentPlan } from "./plan.js";

/**
 * What the plans of notebook 09 on Super-NaturalInstructions share: as the ablations, with a wider model, a larger budget and more rows. One to three minutes a run on one core.
 */
export const REAL_SUPER_NI = {
  ...NATURAL_ABLATION,
  settings: { ...NATURAL_ABLATION.settings, "decoder.width": 128, "decoder.feedForwardWidth": 512 },
  budget: { unit: "supervised-tokens", amount: 420_000 },
  evaluation: { heldOutRowsPerTask: 8, seenTasks: 100, maxNewTokens: 24 },
} satisfies Partial<ExperimentPlan>;
