import { z } from "zod";
import { KitError, type ErrorLocation } from "../support/errors.js";
import { validate } from "../support/validate.js";

/** The shape of a decoder-only transformer. Every field is a number of units named in its comment. */
export interface DecoderConfig {
  /** Number of token ids. */
  readonly vocabularySize: number;
  /** Width of the residual stream, in features. */
  readonly width: number;
  /** Number of transformer blocks. */
  readonly layers: number;
  /** Number of attention heads; divides `width`. */
  readonly heads: number;
  /** Width of the feed-forward layer, in features (of each of the two halves for SwiGLU). */
  readonly feedForwardWidth: number;
  /** Longest sequence, in tokens. */
  readonly contextLength: number;
  readonly positions: { readonly kind: "learned" } | { readonly kind: "rotary"; readonly base: number };
  readonly norm: { readonly kind: "layer" | "rms"; readonly epsilon: number };
  readonly activation: "gelu-tanh" | "swiglu";
  /** Whether linear layers have biases (GPT-2) or not (Llama). */
  readonly biases: boolean;
  /** Whether the output head is the token embedding. */
  readonly tiedHead: boolean;
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
  positions: z.discriminatedUnion("kind", [
    z.strictObject({ kind: z.literal("learned") }),
    z.strictObject({ kind: z.literal("rotary"), base: z.number().positive() }),
  ]),
  norm: z.strictObject({ kind: z.enum(["layer", "rms"]), epsilon: z.number().positive() }),
  activation: z.enum(["gelu-tanh", "swiglu"]),
  biases: z.boolean(),
  tiedHead: z.boolean(),
});

/**
 * Checks the config of a decoder, e.g. one read from a file or given in a notebook.
 * @param location named in the error, e.g. the file
 * @throws KitError that names the field
 */
export function parseDecoderConfig(value: unknown, location: ErrorLocation = {}): DecoderConfig {
  const config = validate<DecoderConfig>(schema, value, "the config of the decoder", location);
  const { width, heads } = config;
  if (width % heads !== 0) {
    throw new KitError(
      `the width (${width}) is not a multiple of the number of heads (${heads})`,
      "change one of the two",
      { ...location, field: "heads" },
    );
  }
  if (config.positions.kind === "rotary" && (width / heads) % 2 !== 0) {
    throw new KitError(
      `rotary positions turn pairs of features, and a head has ${width / heads} of them (width ${width} / ${heads} heads)`,
      "choose a width and a number of heads so that each head has an even number of features",
      { ...location, field: "heads" },
    );
  }
  return config;
}
