import type { DecoderConfig } from "../../model/config.js";
import type { AdamWConfig } from "../../train/optimizers/config.js";

/** A training step to measure. */
export interface Workload {
  readonly name: "small" | "large" | "llama";
  readonly what: string;
  readonly config: DecoderConfig;
  /** Rows of a step. */
  readonly batch: number;
  /** Tokens of a row; each of them predicts the next. */
  readonly time: number;
}

const GPT2 = {
  positions: { kind: "learned" },
  norm: { kind: "layer", epsilon: 1e-5 },
  activation: "gelu-tanh",
  biases: true,
  tiedHead: true,
} as const;

/** What is measured: the size of the main job, and the reference size of the design. */
export const WORKLOADS: readonly Workload[] = [
  {
    name: "small",
    what: "0.4 M parameters: width 96, 3 layers, 4 heads, vocabulary 64, 64 rows of 32 tokens",
    config: {
      vocabularySize: 64,
      width: 96,
      layers: 3,
      heads: 4,
      feedForwardWidth: 384,
      contextLength: 32,
      ...GPT2,
    },
    batch: 64,
    time: 32,
  },
  {
    name: "large",
    what: "5.9 M parameters: width 256, 6 layers, 8 heads, vocabulary 4096, 8 rows of 256 tokens",
    config: {
      vocabularySize: 4096,
      width: 256,
      layers: 6,
      heads: 8,
      feedForwardWidth: 1024,
      contextLength: 256,
      ...GPT2,
    },
    batch: 8,
    time: 256,
  },
  {
    name: "llama",
    what: "6.6 M parameters, Llama's block: width 256, 6 layers, 8 heads, vocabulary 4096, 8 rows of 256 tokens",
    config: {
      vocabularySize: 4096,
      width: 256,
      layers: 6,
      heads: 8,
      feedForwardWidth: 688,
      contextLength: 256,
      positions: { kind: "rotary", base: 10_000 },
      norm: { kind: "rms", epsilon: 1e-5 },
      activation: "swiglu",
      biases: false,
      tiedHead: false,
    },
    batch: 8,
    time: 256,
  },
];

/** AdamW as it is used for language models. */
export const OPTIMIZER: AdamWConfig & { readonly clipNorm: number } = {
  learningRate: 1e-3,
  beta1: 0.9,
  beta2: 0.95,
  epsilon: 1e-8,
  weightDecay: 0.1,
  clipNorm: 1,
};

/** The workload of a name. */
export function workloadNamed(name: Workload["name"]): Workload {
  const workload = WORKLOADS.find((each) => each.name === name);
  if (workload === undefined) throw new RangeError(`no workload ${name}`);
  return workload;
}

/**
 * Floating-point operations of a training step for each token: six for each parameter of a matrix product (two forward,
 * four backward; the token embedding counts as the head), and twelve times width and half the row for each layer's
 * causal attention.
 */
export function flopsPerToken({ config, time }: Workload, parameters: number): number {
  const tables =
    (config.positions.kind === "learned" ? config.contextLength * config.width : 0) +
    (config.tiedHead ? 0 : config.vocabularySize * config.width);
  return 6 * (parameters - tables) + (12 * config.layers * config.width * time) / 2;
}

/** Made-up rows of `time + 1` tokens, the same for each side. */
export function workloadRows({ batch, time, config }: Workload): number[][] {
  return Array.from({ length: batch }, (_, row) =>
    Array.from({ length: time + 1 }, (_, column) => {
      const place = row * (time + 1) + column;
      return (place * 7919 + ((place * place) % 104_729)) % config.vocabularySize;
    }),
  );
}
