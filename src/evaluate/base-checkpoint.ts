import { fileURLToPath } from "node:url";
import { startEngine } from "../engine/start.js";
import type { Decoder } from "../model/decoder.js";
import { loadDecoderFolder, type LoadedModel } from "./model-folder.js";
import { type LoadedBert, loadBertFolder } from "./bert-folder.js";

/** The base models that ship with the kit, trained by the kit on the corpus of the mini world. */
export const BASE_NAMES = ["decoder", "bert"] as const;
export type BaseName = (typeof BASE_NAMES)[number];

/** The folder of a base model inside the package, wherever that is installed. */
export function baseFolder(name: BaseName): string {
  return fileURLToPath(new URL(`../../datasets/checkpoints/${name}`, import.meta.url));
}

/** The name for the decoder that ships with the kit, where the folder of a model is asked for. */
const BASE = "base";

/** The folder that a user means: "base" is the decoder that ships. */
export function folderOf(name: string): string {
  return name === BASE ? baseFolder(BASE_NAMES[0]) : name;
}

/** A base model that is ready to be asked, by its name. */
interface LoadedBase {
  readonly decoder: LoadedModel<Decoder>;
  readonly bert: LoadedBert;
}

/**
 * A base model of the kit with its tokenizer, ready to be asked or tuned; each call gives another copy.
 *
 *     const { decoder, tokenizer } = await loadBase("decoder");
 *     const { bert, tokenizer } = await loadBase("bert");
 *
 * Tuning the decoder on rows of the mini world goes with `MINI_IFT` or `MINI_SFT` of `ift-kit/data/mini/template`, whose
 * words have the blank in front that the corpus has.
 * @throws KitError when a file of it is missing or damaged
 */
export async function loadBase<Name extends BaseName>(name: Name): Promise<LoadedBase[Name]> {
  await startEngine();
  return LOADERS[name](baseFolder(name));
}

const LOADERS: { readonly [Name in BaseName]: (folder: string) => LoadedBase[Name] } = {
  decoder: loadDecoderFolder,
  bert: loadBertFolder,
};
