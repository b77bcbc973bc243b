import { z } from "zod";
import type { CorpusMix } from "../../data/mini/corpus/documents.js";
import { type DecoderConfig, parseDecoderConfig } from "../../model/config.js";
import type { WeightType } from "../../model/half.js";
import { KitError } from "../../support/errors.js";
import { readJsonFile } from "../../support/files.js";
import { validate } from "../../support/validate.js";
import { parseTrainConfig, type TrainConfig, trainConfigSchema } from "../../train/config.js";

/** Everything that decides a base decoder of the mini world: the same plan gives the same tokenizer, rows and start. */
export interface PretrainPlan {
  readonly objective: "next-token";
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
  readonly decoder: Omit<DecoderConfig, "vocabularySize">;
  readonly training: Omit<TrainConfig, "checkpoint">;
  /** Stored type of the weights. */
  readonly weights: WeightType;
  /** What the finished model is asked. */
  readonly quality: {
    /** Documents of the validation corpus for bits per byte. */
    readonly documents: number;
    /** Texts that are drawn from the model. */
    readonly samples: number;
  };
}

/** Names of the files beside the model. */
export const PRETRAIN_FILES = { plan: "plan.json", log: "log.jsonl", result: "pretrain.json" } as const;

const count = z.int().positive();

const planSchema = z.strictObject({
  objective: z.literal("next-token"),
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
  decoder: z.record(z.string(), z.unknown()),
  training: trainConfigSchema.omit({ checkpoint: true }),
  weights: z.enum(["F32", "F16", "BF16"]),
  quality: z.strictObject({ documents: count, samples: z.int().min(0) }),
});

/**
 * A plan from a JSON file.
 * @throws KitError that names the file and the field
 */
export function readPretrainPlan(file: string): PretrainPlan {
  const checked = validate(planSchema, readJsonFile(file), "the plan of a pre-training", { file });
  const { vocabularySize } = checked.tokenizer;
  if ("vocabularySize" in checked.decoder) {
    throw new KitError("the decoder's vocabulary is that of the tokenizer", "remove the field", {
      file,
      field: "decoder.vocabularySize",
    });
  }
  parseDecoderConfig({ ...checked.decoder, vocabularySize }, { file, field: "decoder" });
  const training = parseTrainConfig(checked.training, { file, field: "training" });
  // Checked above, with the vocabulary that the tokenizer will have.
  const decoder = checked.decoder as unknown as PretrainPlan["decoder"];
  return { ...checked, decoder, training };
}
