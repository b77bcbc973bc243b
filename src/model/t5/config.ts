import { z } from "zod";
import { KitError, type ErrorLocation } from "../../support/errors.js";
import { validate } from "../../support/validate.js";

/**
 * The shape of a T5 encoder-decoder (Raffel et al. 2020): version 1.0, version 1.1 (Shazeer 2020), and their offspring
 * T0 and FLAN-T5. Every number is of units named in its comment.
 */
export interface T5Config {
  /** Number of token ids. */
  readonly vocabularySize: number;
  /** Width of the residual stream, in features. */
  readonly width: number;
  /** Number of blocks of the encoder. */
  readonly encoderLayers: number;
  /** Number of blocks of the decoder. */
  readonly decoderLayers: number;
  /** Number of attention heads. */
  readonly heads: number;
  /** Features of one head; `heads * headWidth` need not be `width`. */
  readonly headWidth: number;
  /** Width of the feed-forward layer, in features (of each of the two halves for "geglu"). */
  readonly feedForwardWidth: number;
  /** "relu" (version 1.0), or "geglu": a gate with GELU in its tanh form (version 1.1). */
  readonly activation: "relu" | "geglu";
  /** Buckets of distances between tokens, in each of the two stacks. */
  readonly positionBuckets: number;
  /** From this distance on, in tokens, all tokens are in the last bucket. */
  readonly farthestPosition: number;
  /** Of the norms. */
  readonly epsilon: number;
  /** Whether the output head is the token embedding. */
  readonly tiedHead: boolean;
  /** Whether the head reads the hidden states divided by the root of the width (version 1.0). */
  readonly scaledHead: boolean;
  /**
   * Longest input, and longest output, in tokens. Relative positions have no end of their own: this is what memory
   * allows, and may be raised.
   */
  readonly contextLength: number;
  /**
   * Share of features that training leaves out: of embeddings, of each attention's weights, inside the feed-forward layers,
   * of what every layer adds to the stream, and of each stack's output.
   */
  readonly dropout: number;
  /** Id of the token that the decoder starts with. */
  readonly decoderStart: number;
  /** Id of the token that ends each input, as T5's tokenizer writes it (its EOS); absent for none. */
  readonly inputEnd?: number;
}

/** What the encoder reads for a prompt. */
export function encoderIds({ inputEnd }: Pick<T5Config, "inputEnd">, prompt: readonly number[]): number[] {
  return inputEnd === undefined ? [...prompt] : [...prompt, inputEnd];
}

/** Far above any model; a corrupt file must not ask for all memory. */
const size = z.int().min(1).max(16_777_216);
const layers = z.int().min(1).max(1000);

const schema = z.strictObject({
  vocabularySize: size,
  width: size,
  encoderLayers: layers,
  decoderLayers: layers,
  heads: size,
  headWidth: size,
  feedForwardWidth: size,
  activation: z.enum(["relu", "geglu"]),
  // Four: with fewer, one of the two directions has no bucket for a distance of its own.
  positionBuckets: z.int().min(4).max(65_536),
  farthestPosition: size,
  epsilon: z.number().positive(),
  tiedHead: z.boolean(),
  scaledHead: z.boolean(),
  contextLength: size,
  dropout: z.number().min(0).lt(1),
  decoderStart: z.int().nonnegative(),
  inputEnd: z.int().nonnegative().optional(),
});

/**
 * Checks the config of a T5, e.g. one read from a file or given in a notebook.
 * @param location named in the error, e.g. the file
 * @throws KitError that names the field
 */
export function parseT5Config(value: unknown, location: ErrorLocation = {}): T5Config {
  const config = validate<T5Config>(schema, value, "the config of the T5", location);
  const { positionBuckets, farthestPosition, decoderStart, vocabularySize } = config;
  if (positionBuckets % 2 !== 0) {
    throw new KitError(
      `the encoder shares its position buckets between two directions, and ${positionBuckets} is odd`,
      "give an even number",
      { ...location, field: "positionBuckets" },
    );
  }
  if (farthestPosition <= positionBuckets / 2) {
    throw new KitError(
      `with ${positionBuckets} buckets, ${positionBuckets / 2} of the decoder's have one distance each, which leaves ` +
        `none for larger ones up to ${farthestPosition}`,
      "give a larger distance, or fewer buckets",
      { ...location, field: "farthestPosition" },
    );
  }
  if (decoderStart >= vocabularySize) {
    throw new KitError(
      `the decoder starts with the token ${decoderStart}, and the model has ${vocabularySize}`,
      "give the id of a token, usually the one for padding",
      { ...location, field: "decoderStart" },
    );
  }
  return config;
}
