import { FAST_SETTINGS, type RewriteSettings } from "../../src/experiment/rewrite/settings.js";

/** An experiment of a few seconds: it shows that the line works, its scores say nothing. */
export const TINY_SETTINGS: RewriteSettings = {
  ...FAST_SETTINGS,
  trainingRules: [2, 20],
  tagRules: [20],
  heldOutRules: 6,
  testRows: 12,
  trainingRows: 400,
  supervisedTokens: 1500,
  rowsPerStep: 16,
  decoder: { ...FAST_SETTINGS.decoder, width: 16, layers: 1, heads: 2, feedForwardWidth: 32 },
};
