import { rmSync } from "node:fs";
import { corpusOf } from "../../data/mini/corpus/documents.js";
import { saveDecoder } from "../../model/checkpoint.js";
import { Decoder } from "../../model/decoder.js";
import { train } from "../../train/train.js";
import { type DecoderResult, type PretrainOptions, writeLog, writeResult } from "./files.js";
import type { DecoderPlan } from "./plan.js";
import { measureQuality } from "./quality.js";
import { corpusRows, planTokenizer } from "./rows.js";

const CHECKPOINT_STEPS = 500;

/**
 * Makes a base decoder as a plan says: draws the corpus, trains tokenizer and decoder, measures what came of it, and writes
 * model, tokenizer, plan, log and result into a folder. A run that was stopped goes on from its work folder.
 * The engine must have been started.
 * @returns undefined when it was stopped
 * @throws KitError when the plan does not fit together, or a file cannot be written
 */
export async function pretrainDecoder(
  plan: DecoderPlan,
  folder: string,
  { signal, progress = false, workFolder }: PretrainOptions,
): Promise<DecoderResult | undefined> {
  const tokenizer = planTokenizer(plan);
  const { vocabularySize, special } = tokenizer;
  const corpus = corpusRows(
    corpusOf(plan.worldSeed, "train", plan.mix),
    tokenizer,
    plan.corpusTokens,
    plan.decoder.contextLength,
  );
  const decoder = Decoder.create({ ...plan.decoder, vocabularySize }, plan.training.seed);
  try {
    const trained = await train(
      decoder,
      corpus.rows,
      { ...plan.training, checkpoint: { directory: workFolder, everySteps: CHECKPOINT_STEPS } },
      { ...(signal === undefined ? {} : { signal }), progress, label: "pre-training", resume: true },
    );
    if (trained.status === "stopped") return undefined;
    saveDecoder(folder, decoder, { layout: "hugging-face", type: plan.weights, special });
    tokenizer.save(folder);
    writeLog(folder, trained.history);
    // What ships is what is measured: the weights as they were rounded.
    const quality = await measureQuality(folder, plan, signal);
    if (quality === undefined) return undefined;
    const { step, totalTokens, seconds } = trained.progress;
    const result: DecoderResult = {
      plan,
      parameterCount: decoder.parameterCount,
      corpus: {
        documents: corpus.rows.length,
        tokens: corpus.tokens,
        factExposures: corpus.factExposures,
      },
      training: { steps: step, tokens: totalTokens, seconds },
      quality,
    };
    writeResult(folder, result);
    rmSync(workFolder, { recursive: true, force: true });
    return result;
  } finally {
    decoder.dispose();
  }
}
