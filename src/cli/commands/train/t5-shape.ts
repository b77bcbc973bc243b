import type { Tokenizer } from "../../../data/tokenizer.js";
import { parseT5Config } from "../../../model/t5/config.js";
import { T5 } from "../../../model/t5/t5.js";
import { type ErrorLocation, KitError } from "../../../support/errors.js";

/** As published (version 1.1), but for the sizes, which have no usual value. */
const SHAPE = {
  ...{ activation: "geglu", positionBuckets: 32, farthestPosition: 128, epsilon: 1e-6 },
  ...{ tiedHead: false, scaledHead: false, dropout: 0.1 },
} as const;

/**
 * A new T5 for a tokenizer: the decoder starts with the padding token, and inputs end with EOS, unless the shape says
 * otherwise.
 * @throws KitError for a wrong field
 */
export function newT5(
  shape: Readonly<Record<string, unknown>>,
  { vocabularySize, special }: Pick<Tokenizer, "vocabularySize" | "special">,
  seed: number,
  { file, field }: Required<Pick<ErrorLocation, "file" | "field">>,
): T5 {
  if ("vocabularySize" in shape && shape.vocabularySize !== vocabularySize) {
    throw new KitError(
      `the vocabulary has ${JSON.stringify(shape.vocabularySize)} ids here, the tokenizer ${vocabularySize}`,
      "remove this field; it is taken from the tokenizer",
      { file, field: `${field}.vocabularySize` },
    );
  }
  const usual = { ...SHAPE, decoderStart: special.pad, inputEnd: special.eos };
  return T5.create(parseT5Config({ ...usual, ...shape, vocabularySize }, { file, field }), seed);
}
