import { rmSync } from "node:fs";
import { corpusOf } from "../../data/mini/corpus/documents.js";
import { loadBertFolder } from "../../evaluate/bert-folder.js";
import { Bert } from "../../model/bert/bert.js";
import { saveBert } from "../../model/bert/checkpoint.js";
import { maskedLanguage } from "../../train/objectives/masked-language.js";
import { trainObjective } from "../../train/train.js";
import { measureBert } from "./bert-quality.js";
import { bertTokenizer, maskingRule, pairRows } from "./bert-rows.js";
import { type BertResult, type PretrainOptions, writeLog, writeResult } from "./files.js";
import type { BertPlan } from "./plan.js";

const CHECKPOINT_STEPS = 200;

/**
 * Makes a base BERT as a plan says; see `pretrain`. The engine must have been started.
 * @returns undefined when it was stopped
 * @throws KitError when the plan does not fit together, or a file cannot be written
 */
export async function pretrainBert(
  plan: BertPlan,
  folder: string,
  { signal, progress = false, workFolder }: PretrainOptions,
): Promise<BertResult | undefined> {
  const tokenizer = bertTokenizer(plan);
  const rule = maskingRule(tokenizer, plan.maskedShare);
  const { rows, ...corpus } = pairRows(
    corpusOf(plan.worldSeed, "train", plan.mix),
    tokenizer,
    plan.corpusTokens,
    { maxTokens: plan.bert.contextLength, rule, seed: plan.worldSeed },
  );
  const { vocabularySize, special } = tokenizer;
  const config = { ...plan.bert, vocabularySize, head: { kind: "pre-training" } } as const;
  const bert = Bert.create(config, plan.training.seed);
  try {
    const trained = await trainObjective(
      maskedLanguage(bert, rule),
      rows,
      { ...plan.training, checkpoint: { directory: workFolder, everySteps: CHECKPOINT_STEPS } },
      { ...(signal === undefined ? {} : { signal }), progress, label: "pre-training", resume: true },
    );
    if (trained.status === "stopped") return undefined;
    saveBert(folder, bert, { type: plan.weights, special });
    tokenizer.save(folder);
    writeLog(folder, trained.history);
    // What ships is what is measured: the weights as they were rounded.
    const shipped = loadBertFolder(folder);
    const quality = await measureBert(shipped, plan, signal).finally(() => {
      shipped.bert.dispose();
    });
    if (quality === undefined) return undefined;
    const { step, totalTokens, seconds } = trained.progress;
    const result: BertResult = {
      plan,
      parameterCount: bert.parameterCount,
      corpus,
      training: { steps: step, tokens: totalTokens, seconds },
      quality,
    };
    writeResult(folder, result);
    rmSync(workFolder, { recursive: true, force: true });
    return result;
  } finally {
    bert.dispose();
  }
}
