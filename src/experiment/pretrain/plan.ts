import { z } from "zod";
import type { CorpusMix } from "../../data/mini/corpus/documents.js";
import { type BertConfig, parseBertConfig } from "../../model/bert/config.js";
import { type DecoderConfig, parseDecoderConfig } from "../../model/config.js";
import type { WeightType } from "../../model/half.js";
import { KitError } from "../../support/errors.js";
import { readJsonFile } from "../../support/files.js";
import { validate } from "../../support/validate.js";
import { parseTrainConfig, type TrainConfig, trainConfigSchema } from "../../train/config.js";

/** What decides the making of any base model of the mini world. */
interface AnyPlan {
  /** Seed of the world and its corpus; the start of the weights and the order of rows are from `training.seed`. */
  readonly worldSeed: number;
  readonly tokenizer: {
    /** Ids, special tokens included. */
    readonly vocabularySize: number;
    /** Documents of the corpus that the merges are learned from. */
    readonly documents: number;
    /** Training rows of each mini task, and of each grid cell, that they are learned from too: for the words of instructions. */
    readonly rowsPerTask: number;
  };
  /** Tokens of the corpus; the training budget may go over them more than once. */
  readonly corpusTokens: number;
  readonly mix: CorpusMix;
  readonly training: Omit<TrainConfig, "checkpoint">;
  /** Stored type of the weights. */
  readonly weights: WeightType;
  /** What the finished model is asked. */
  readonly quality: {
    /** Documents of the validation corpus that it is measured on. */
    readonly documents: number;
    /** Texts that are drawn from the model, or whose words it fills in. */
    readonly samples: number;
  };
}

/** A decoder that learns the next token, with a byte-level BPE. */
export interface DecoderPlan extends AnyPlan {
  readonly model: "decoder";
  readonly objective: "next-token";
  readonly decoder: Omit<DecoderConfig, "vocabularySize">;
}

/** A BERT that learns masked words and next sentences, with a WordPiece tokenizer. */
export interface BertPlan extends AnyPlan {
  readonly model: "bert";
  readonly objective: "masked-language-next-sentence";
  readonly bert: Omit<BertConfig, "vocabularySize" | "head">;
  /** Share of the tokens that are masked. */
  readonly maskedShare: number;
}

/** Everything that decides a base model of the mini world: the same plan gives the same tokenizer, rows and start. */
export type PretrainPlan = DecoderPlan | BertPlan;

/** Names of the files beside the model. */
export const PRETRAIN_FILES = { plan: "plan.json", log: "log.jsonl", result: "pretrain.json" } as const;

const count = z.int().positive();

const anyPlan = {
  worldSeed: z.int().min(0),
  tokenizer: z.strictObject({
    vocabularySize: count,
    documents: count,
    rowsPerTask: count,
  }),
  corpusTokens: count,
  mix: z.strictObject({
    shares: z.strictObject({
      facts: count,
      story: count,
      dialogue: count,
      review: count,
      news: count,
      selections: count,
      formats: count,
    }),
    tellings: count,
  }),
  training: trainConfigSchema.omit({ checkpoint: true }),
  weights: z.enum(["F32", "F16", "BF16"]),
  quality: z.strictObject({ documents: count, samples: z.int().min(0) }),
};

const planSchema = z.discriminatedUnion("model", [
  z.strictObject({
    ...anyPlan,
    model: z.literal("decoder"),
    objective: z.literal("next-token"),
    decoder: z.record(z.string(), z.unknown()),
  }),
  z.strictObject({
    ...anyPlan,
    model: z.literal("bert"),
    objective: z.literal("masked-language-next-sentence"),
    bert: z.record(z.string(), z.unknown()),
    maskedShare: z.number().positive().lt(1),
  }),
]);

/**
 * A plan from a JSON file.
 * @throws KitError that names the file and the field
 */
export function readPretrainPlan(file: string): PretrainPlan {
  const checked = validate(planSchema, readJsonFile(file), "the plan of a pre-training", { file });
  const training = parseTrainConfig(checked.training, { file, field: "training" });
  const { vocabularySize } = checked.tokenizer;
  const config = checked.model === "bert" ? checked.bert : checked.decoder;
  for (const field of ["vocabularySize", "head"]) {
    if (!(field in config)) continue;
    throw new KitError(`the ${field} of the model is decided by the rest of the plan`, "remove the field", {
      file,
      field: `${checked.model}.${field}`,
    });
  }
  const place = { file, field: checked.model };
  if (checked.model === "bert") {
    parseBertConfig({ ...checked.bert, vocabularySize, head: { kind: "pre-training" } }, place);
    // Checked above, with the vocabulary that the tokenizer will have; the decoder's below.
    return { ...checked, bert: checked.bert as unknown as BertPlan["bert"], training };
  }
  parseDecoderConfig({ ...checked.decoder, vocabularySize }, place);
  return { ...checked, decoder: checked.decoder as unknown as DecoderPlan["decoder"], training };
}
