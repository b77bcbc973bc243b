import { join } from "node:path";
import { readJsonFile } from "../support/files.js";
import { CONFIG_FILE, loadDecoder, type SaveOptions, saveDecoder } from "./checkpoint.js";
import type { Decoder } from "./decoder.js";
import { loadT5, saveT5 } from "./t5/checkpoint.js";
import { T5 } from "./t5/t5.js";

/** A model that answers prompts: one that goes on with them, or one that reads them with an encoder. */
export type LanguageModel = Decoder | T5;

/**
 * Reads a model from a folder of the kit or of `transformers`, of the family that `config.json` names.
 * @throws KitError as `loadDecoder` and `loadT5`
 */
export function loadModel(directory: string): LanguageModel {
  return modelTypeIn(directory) === "t5" ? loadT5(directory) : loadDecoder(directory);
}

/** Writes a model into a folder. @throws KitError as `saveDecoder` and `saveT5` */
export function saveModel(directory: string, model: LanguageModel, options: SaveOptions = {}): void {
  if (model instanceof T5) saveT5(directory, model, options);
  else saveDecoder(directory, model, options);
}

/** The `model_type` of a folder's config, where it has one. @throws KitError when there is no config, or it is no JSON */
export function modelTypeIn(directory: string): unknown {
  const value = readJsonFile(join(directory, CONFIG_FILE));
  return typeof value === "object" && value !== null && "model_type" in value ? value.model_type : undefined;
}
