import { LoraAdapter } from "../../../model/lora/adapter.js";
import { type AdaptableConfig, chooseTargets, type LoraConfig } from "../../../model/lora/config.js";
import { checkAdapterLayout } from "../../../model/lora/peft.js";

/**
 * The adapter that the file of a run asks for.
 * @throws KitError for targets that the model does not have, or that PEFT's files cannot hold
 */
export function newAdapter(config: AdaptableConfig, lora: LoraConfig, file: string): LoraAdapter {
  checkAdapterLayout(config, chooseTargets(config, lora, { file, field: "lora" }));
  return LoraAdapter.create(config, lora);
}
