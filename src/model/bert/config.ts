import { z } from "zod";
import { KitError, type ErrorLocation } from "../../support/errors.js";
import { validate } from "../../support/validate.js";

/** What stands on a BERT encoder. */
export type BertHead =
  /** Masked words and whether the second text follows the first: how BERT is pre-trained. */
  | { readonly kind: "pre-training" }
  /** Masked words alone. */
  | { readonly kind: "masked-language" }
  /** A class of a text or of a pair of texts, read from the first token. */
  | { readonly kind: "classification"; readonly labels: readonly string[] };

/** The shape of a BERT encoder (Devlin et al. 2019). Every number is of units named in its comment. */
export interface BertConfig {
  /** Number of token ids. */
  readonly vocabularySize: number;
  /** Width of the residual stream, in features. */
  readonly width: number;
  /** Number of transformer blocks. */
  readonly layers: number;
  /** Number of attention heads; divides the width. */
  readonly heads: number;
  /** Width of the feed-forward layer, in features. */
  readonly feedForwardWidth: number;
  /** Longest sequence, in tokens. */
  readonly contextLength: number;
  /** Number of token types: 2 for the texts of a pair. */
  readonly tokenTypes: number;
  /** "gelu": exact, as BERT has it. */
  readonly activation: "gelu" | "gelu-tanh";
  /** Of the norms. */
  readonly epsilon: number;
  /** Share of features and attention weights that training leaves out; 0 for none, 0.1 as published. */
  readonly dropout: number;
  readonly head: BertHead;
}

/** Far above any model; a corrupt file must not ask for all memory. */
const size = z.int().min(1).max(16_777_216);

const schema = z.strictObject({
  vocabularySize: size,
  width: size,
  layers: z.int().min(1).max(1000),
  heads: size,
  feedForwardWidth: size,
  contextLength: size,
  tokenTypes: z.int().min(1).max(65_536),
  activation: z.enum(["gelu", "gelu-tanh"]),
  epsilon: z.number().positive(),
  dropout: z.number().min(0).lt(1),
  head: z.discriminatedUnion("kind", [
    z.strictObject({ kind: z.literal("pre-training") }),
    z.strictObject({ kind: z.literal("masked-language") }),
    z.strictObject({ kind: z.literal("classification"), labels: z.array(z.string().min(1)).min(2) }),
  ]),
});

/**
 * Checks the config of a BERT, e.g. one read from a file or given in a notebook.
 * @param location named in the error, e.g. the file
 * @throws KitError that names the field
 */
export function parseBertConfig(value: unknown, location: ErrorLocation = {}): BertConfig {
  const config = validate<BertConfig>(schema, value, "the config of the BERT", location);
  const { width, heads, head } = config;
  if (width % heads !== 0) {
    throw new KitError(
      `the width (${width}) is not a multiple of the number of heads (${heads})`,
      "change one of the two",
      { ...location, field: "heads" },
    );
  }
  if (head.kind === "classification" && new Set(head.labels).size < head.labels.length) {
    throw new KitError("a label is there twice", "give each class a name of its own", {
      ...location,
      field: "head.labels",
    });
  }
  return config;
}
