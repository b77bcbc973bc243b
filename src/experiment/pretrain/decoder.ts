import { corpusOf } from "../../data/mini/corpus/documents.js";
import { saveDecoder } from "../../model/checkpoint.js";
import { Decoder } from "../../model/decoder.js";
import { train } from "../../train/train.js";
import type { DecoderResult, PretrainOptions } from "./files.js";
import { makeBase } from "./make-base.js";
import type { DecoderPlan } from "./plan.js";
import { measureQuality } from "./quality.js";
import { corpusRows, planTokenizer } from "./rows.js";

const CHECKPOINT_STEPS = 500;

/**
 * Makes a base decoder as a plan says; see `pretrain`. The engine must have been started.
 * @returns undefined when it was stopped
 * @throws KitError when the plan does not fit together, or a file cannot be written
 */
export async function pretrainDecoder(
  plan: DecoderPlan,
  folder: string,
  options: PretrainOptions,
): Promise<DecoderResult | undefined> {
  const tokenizer = planTokenizer(plan);
  const { vocabularySize, special } = tokenizer;
  const { rows, ...corpus } = corpusRows(
    corpusOf(plan.worldSeed, "train", plan.mix),
    tokenizer,
    plan.corpusTokens,
    plan.decoder.contextLength,
  );
  const decoder = Decoder.create({ ...plan.decoder, vocabularySize }, plan.training.seed);
  return makeBase(plan, folder, options, {
    model: decoder,
    corpus: { documents: rows.length, ...corpus },
    everySteps: CHECKPOINT_STEPS,
    train: (config, trainOptions) => train(decoder, rows, config, trainOptions),
    save: () => {
      saveDecoder(folder, decoder, { layout: "hugging-face", type: plan.weights, special });
      tokenizer.save(folder);
    },
    measure: () => measureQuality(folder, plan, options.signal),
  });
}
