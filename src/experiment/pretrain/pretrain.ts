import { startEngine } from "../../engine/start.js";
import { pretrainBert } from "./bert.js";
import { pretrainDecoder } from "./decoder.js";
import type { PretrainOptions, PretrainResult } from "./files.js";
import type { PretrainPlan } from "./plan.js";

/**
 * Makes a base model as a plan says: draws the corpus, trains tokenizer and model, measures what came of it, and writes
 * model, tokenizer, plan, log and result into a folder. A run that was stopped goes on from its work folder.
 * @returns undefined when it was stopped
 * @throws KitError when the plan does not fit together, or a file cannot be written
 */
export async function pretrain(
  plan: PretrainPlan,
  folder: string,
  options: PretrainOptions,
): Promise<PretrainResult | undefined> {
  await startEngine();
  return plan.model === "bert" ? pretrainBert(plan, folder, options) : pretrainDecoder(plan, folder, options);
}
