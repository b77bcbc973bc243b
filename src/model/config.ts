import { z } from "zod";
import type { RotaryScaling } from "../engine/ops/rotary.js";
import { KitError, type ErrorLocation } from "../support/errors.js";
import { validate } from "../support/validate.js";

/** Layers that may have a bias. */
export type BiasPlace = "queryKeyValue" | "attentionOutput" | "feedForward" | "norm";

/**
 * The shape of a decoder-only transformer: GPT-2, Llama, Qwen2, PaLM and what lies between them. Every number is of
 * units named in its comment; what may be left out is what most models do without.
 */
export interface DecoderConfig {
  /** Number of token ids. */
  readonly vocabularySize: number;
  /** Width of the residual stream, in features. */
  readonly width: number;
  /** Number of transformer blocks. */
  readonly layers: number;
  /** Number of attention heads. */
  readonly heads: number;
  /** Number of key heads, and of value heads; divides `heads` (1: multi-query). Default: `heads`. */
  readonly keyValueHeads?: number;
  /** Features of one head. Default: `width / heads`, which must then be whole. */
  readonly headWidth?: number;
  /** Width of the feed-forward layer, in features (of each of the two halves for SwiGLU). */
  readonly feedForwardWidth: number;
  /** Longest sequence, in tokens. */
  readonly contextLength: number;
  readonly positions:
    | { readonly kind: "learned" }
    | { readonly kind: "rotary"; readonly base: number; readonly scaling?: RotaryScaling };
  /**
   * "parallel" (PaLM): attention and feed-forward layer read the same normed input, and both are added to the stream.
   * Default: "sequential", the feed-forward layer reads what attention has changed.
   */
  readonly block?: "sequential" | "parallel";
  readonly norm: { readonly kind: "layer" | "rms"; readonly epsilon: number };
  readonly activation: "gelu-tanh" | "swiglu";
  /** Whether all linear layers and layer norms have biases (GPT-2), none (Llama), or some (Qwen2: `queryKeyValue`). */
  readonly biases: boolean | readonly BiasPlace[];
  /** Whether the output head is the token embedding. */
  readonly tiedHead: boolean;
}

/** Far above any model; a corrupt file must not ask for all memory. */
const size = z.int().min(1).max(16_777_216);

const scaling = z.strictObject({
  factor: z.number().positive(),
  lowFrequencyFactor: z.number().positive(),
  highFrequencyFactor: z.number().positive(),
  originalContextLength: size,
});

/** The schema of a decoder's shape, for configurations that contain one; rules between fields are in `parseDecoderConfig`. */
export const decoderShapeSchema = z.strictObject({
  width: size,
  layers: z.int().min(1).max(1000),
  heads: size,
  keyValueHeads: size.optional(),
  headWidth: size.optional(),
  feedForwardWidth: size,
  contextLength: size,
  positions: z.discriminatedUnion("kind", [
    z.strictObject({ kind: z.literal("learned") }),
    z.strictObject({ kind: z.literal("rotary"), base: z.number().positive(), scaling: scaling.optional() }),
  ]),
  block: z.enum(["sequential", "parallel"]).optional(),
  norm: z.strictObject({ kind: z.enum(["layer", "rms"]), epsilon: z.number().positive() }),
  activation: z.enum(["gelu-tanh", "swiglu"]),
  biases: z.union([
    z.boolean(),
    z.array(z.enum(["queryKeyValue", "attentionOutput", "feedForward", "norm"])),
  ]),
  tiedHead: z.boolean(),
});

const schema = z.strictObject({ vocabularySize: size, ...decoderShapeSchema.shape });

/**
 * Checks the config of a decoder, e.g. one read from a file or given in a notebook.
 * @param location named in the error, e.g. the file
 * @throws KitError that names the field
 */
export function parseDecoderConfig(value: unknown, location: ErrorLocation = {}): DecoderConfig {
  const config = validate<DecoderConfig>(schema, value, "the config of the decoder", location);
  const { width, heads, keyValueHeads = heads, headWidth = width / heads } = config;
  const fail = (problem: string, cure: string, field: string): KitError =>
    new KitError(problem, cure, { ...location, field });
  if (!Number.isInteger(headWidth)) {
    throw fail(
      `the width (${width}) is not a multiple of the number of heads (${heads})`,
      "change one of the two, or give headWidth",
      "heads",
    );
  }
  if (heads % keyValueHeads !== 0) {
    throw fail(
      `the number of heads (${heads}) is not a multiple of the number of key heads (${keyValueHeads})`,
      "change one of the two",
      "keyValueHeads",
    );
  }
  const { positions } = config;
  if (positions.kind !== "rotary") return config;
  if (headWidth % 2 !== 0) {
    throw fail(
      `rotary positions turn pairs of features, and a head has ${headWidth} of them (width ${width}, ${heads} heads)`,
      "choose a width and a number of heads so that each head has an even number of features",
      config.headWidth === undefined ? "heads" : "headWidth",
    );
  }
  if (
    positions.scaling !== undefined &&
    positions.scaling.lowFrequencyFactor >= positions.scaling.highFrequencyFactor
  ) {
    throw fail(
      "the factor of the low frequencies is not below that of the high ones",
      "correct one of the two",
      "positions.scaling.lowFrequencyFactor",
    );
  }
  return config;
}

/** How the attention of a decoder is cut into heads, with the defaults filled in. */
export interface HeadShape {
  readonly heads: number;
  readonly keyValueHeads: number;
  readonly headWidth: number;
}

/** Number and width of a decoder's heads. */
export function headShape({ width, heads, keyValueHeads, headWidth }: DecoderConfig): HeadShape {
  return { heads, keyValueHeads: keyValueHeads ?? heads, headWidth: headWidth ?? width / heads };
}

/** Whether the layers of a place have biases; an RMS norm never has. */
export function hasBias({ biases, norm }: DecoderConfig, place: BiasPlace): boolean {
  if (place === "norm" && norm.kind === "rms") return false;
  return typeof biases === "boolean" ? biases : biases.includes(place);
}
