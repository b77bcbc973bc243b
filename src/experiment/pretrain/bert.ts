import { corpusOf } from "../../data/mini/corpus/documents.js";
import { loadBertFolder } from "../../evaluate/bert-folder.js";
import { Bert } from "../../model/bert/bert.js";
import { saveBert } from "../../model/bert/checkpoint.js";
import { maskedLanguage } from "../../train/objectives/masked-language.js";
import { trainObjective } from "../../train/train.js";
import { measureBert } from "./bert-quality.js";
import { bertTokenizer, maskingRule, pairRows } from "./bert-rows.js";
import type { BertResult, PretrainOptions } from "./files.js";
import { makeBase } from "./make-base.js";
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
  options: PretrainOptions,
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
  const shape = { ...plan.bert, vocabularySize, head: { kind: "pre-training" } } as const;
  const bert = Bert.create(shape, plan.training.seed);
  return makeBase(plan, folder, options, {
    model: bert,
    corpus,
    everySteps: CHECKPOINT_STEPS,
    train: (config, trainOptions) => trainObjective(maskedLanguage(bert, rule), rows, config, trainOptions),
    save: () => {
      saveBert(folder, bert, { type: plan.weights, special });
      tokenizer.save(folder);
    },
    measure: () => {
      const shipped = loadBertFolder(folder);
      return measureBert(shipped, plan, options.signal).finally(() => {
        shipped.bert.dispose();
      });
    },
  });
}
