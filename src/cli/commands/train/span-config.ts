import { z } from "zod";
import { KitError } from "../../../support/errors.js";
import { validate } from "../../../support/validate.js";
import {
  type CommonConfig,
  COMMON_FIELDS,
  commonOf,
  type ModelChoice,
  modelChoiceOf,
} from "./common-config.js";
import { DOCUMENT_FIELDS, type DocumentData } from "./documents.js";

/**
 * A T5 that learns to fill in left-out spans of plain text.
 *
 *     {
 *       "objective": "span-corruption",
 *       "data": { "path": "datasets/mini/corpus/train.txt" },
 *       "tokenizer": { "train": "byte-level-bpe", "vocabularySize": 2000 },
 *       "t5": { "width": 64, "encoderLayers": 2, "decoderLayers": 2, ... } or { "from": DIR },
 *       "train": { ... }
 *     }
 */
export interface SpanConfig extends CommonConfig {
  readonly objective: "span-corruption";
  readonly data: DocumentData;
  /** Left out: that of the saved model. */
  readonly tokenizer:
    | { readonly directory: string }
    | { readonly train: "byte-level-bpe"; readonly vocabularySize: number }
    | undefined;
  /** Longest piece of a document in tokens, before spans are left out; left out: what the model's context allows. */
  readonly maxTokens: number | undefined;
  /** Share of the tokens that is left out, and the mean length of a span; as published: 0.15 and 3. */
  readonly corruption: { readonly share: number; readonly meanSpan: number };
  readonly t5: ModelChoice;
}

const count = z.int().positive();
const text = z.string().min(1);

/** The fields of such a run. */
export const SPAN_SCHEMA = z.strictObject({
  objective: z.literal("span-corruption"),
  ...COMMON_FIELDS,
  data: z.strictObject(DOCUMENT_FIELDS),
  tokenizer: z
    .union([
      z.strictObject({ directory: text }),
      z.strictObject({ train: z.literal("byte-level-bpe"), vocabularySize: count }),
    ])
    .optional(),
  maxTokens: z.int().min(2).optional(),
  corruption: z
    .strictObject({ share: z.number().gt(0).lt(1).optional(), meanSpan: z.number().min(1).optional() })
    .optional(),
  t5: z.record(z.string(), z.unknown()),
});

/** @throws KitError that names the file and the wrong field */
export function parseSpanConfig(source: unknown, file: string): SpanConfig {
  const config = validate<z.infer<typeof SPAN_SCHEMA>>(SPAN_SCHEMA, source, "the run configuration", {
    file,
  });
  const t5 = modelChoiceOf(file, "t5", config.t5);
  if (config.tokenizer === undefined && !("from" in t5)) {
    throw new KitError(
      "a new model needs a tokenizer",
      'give {"train": "byte-level-bpe", "vocabularySize": N} or {"directory": DIR}',
      { file, field: "tokenizer" },
    );
  }
  const { share = 0.15, meanSpan = 3 } = config.corruption ?? {};
  return {
    ...commonOf(config, source, file),
    objective: config.objective,
    data: config.data,
    tokenizer: config.tokenizer,
    maxTokens: config.maxTokens,
    corruption: { share, meanSpan },
    t5,
  };
}
