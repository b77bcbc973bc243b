import { Bert } from "../bert/bert.js";
import type { LanguageModel } from "../load.js";
import { saveAdapter } from "./peft.js";

/**
 * Writes the adapter of a model as PEFT does, with the head of a BERT where that was trained beside it. A model without an
 * adapter writes nothing.
 * @param base name or folder of what was adapted, noted in the file for PEFT
 * @throws KitError as `saveAdapter`
 */
export function saveModelAdapter(directory: string, model: LanguageModel | Bert, base?: string): void {
  const { adapter, config } = model;
  if (adapter === undefined) return;
  const head = model instanceof Bert && model.trainsHead ? model : undefined;
  saveAdapter(directory, adapter, config, base, head);
}
