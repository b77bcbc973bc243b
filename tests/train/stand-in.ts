import { embeddingLookup } from "../../src/engine/ops/index.js";
import { tf, type TensorFlow } from "../../src/engine/tensorflow.js";
import type { ModelInput, TrainableModel } from "../../src/train/objectives/next-token.js";
import type { StepRecord } from "../../src/train/progress.js";
import type { Spans } from "../../src/data/spans.js";
import type { DecoderConfig } from "../../src/model/config.js";

/** A decoder of GPT-2's kind that trains in milliseconds. */
export const TINY_GPT2 = {
  vocabularySize: 16,
  width: 16,
  layers: 2,
  heads: 2,
  feedForwardWidth: 32,
  contextLength: 24,
  positions: { kind: "learned" },
  norm: { kind: "layer", epsilon: 1e-5 },
  activation: "gelu-tanh",
  biases: true,
  tiedHead: true,
} as const satisfies DecoderConfig;

/** What of a decoder is other in Llama's kind than in GPT-2's. */
export const LLAMA_PARTS = {
  positions: { kind: "rotary", base: 10_000 },
  norm: { kind: "rms", epsilon: 1e-6 },
  activation: "swiglu",
  biases: false,
  tiedHead: false,
} as const satisfies Partial<DecoderConfig>;

/**
 * The smallest model that a loop can train: each token is predicted from the one before it,
 * tanh(embedding[id] W + b) -> logits. The start values are a formula, so that the PyTorch script has the same.
 */
export class NextTokenModel implements TrainableModel {
  readonly config: { readonly vocabularySize: number; readonly contextLength: number };
  readonly parameters: ReadonlyMap<string, TensorFlow.Variable>;

  constructor(vocabularySize = 11, width = 6, contextLength = 32) {
    this.config = { vocabularySize, contextLength };
    this.parameters = new Map([
      ["embedding", wave([vocabularySize, width], 0.1)],
      ["weight", wave([width, width], 0.2)],
      ["bias", wave([width], 0.3)],
      ["head", wave([width, vocabularySize], 0.4)],
    ]);
  }

  hiddenStates({ ids }: ModelInput): TensorFlow.Tensor3D {
    const [batch, time] = ids.shape;
    const embedding = this.#matrix("embedding");
    const rows = embeddingLookup(embedding, ids.reshape([batch * time])) as TensorFlow.Tensor2D;
    const hidden = tf.tanh(tf.add(tf.matMul(rows, this.#matrix("weight")), this.#parameter("bias")));
    return tf.reshape<TensorFlow.Rank.R3>(hidden, [batch, time, embedding.shape[1]]);
  }

  logits(hidden: TensorFlow.Tensor2D): TensorFlow.Tensor2D {
    return tf.matMul(hidden, this.#matrix("head"));
  }

  values(): Map<string, number[]> {
    return new Map([...this.parameters].map(([name, variable]) => [name, [...variable.dataSync()]]));
  }

  dispose(): void {
    for (const variable of this.parameters.values()) variable.dispose();
  }

  #parameter(name: string): TensorFlow.Variable {
    const parameter = this.parameters.get(name);
    if (parameter === undefined) throw new Error(`no parameter ${name}`);
    return parameter;
  }

  #matrix(name: string): TensorFlow.Tensor2D {
    return this.#parameter(name) as unknown as TensorFlow.Tensor2D;
  }
}

function wave(shape: number[], phase: number): TensorFlow.Variable {
  const size = shape.reduce((product, axis) => product * axis, 1);
  const values = Float32Array.from({ length: size }, (_, index) => 0.5 * Math.sin(0.7 * index + phase));
  return tf.tidy(() => tf.variable(tf.tensor(values, shape)));
}

/** A row from ids, with the last `supervised` tokens as targets. */
export function spansOf(id: string, ids: readonly number[], supervised: number): Spans {
  return {
    id,
    taskType: "test",
    ids,
    supervised: ids.map((_, position) => position >= ids.length - supervised),
    source: ids.map(() => "input" as const),
    role: ids.map(() => "user" as const),
    promptLength: ids.length - supervised,
  };
}

/** Rows of different lengths and different numbers of targets, by a formula that the PyTorch script has too. */
export function waveRows(count: number, vocabularySize = 11): Spans[] {
  return Array.from({ length: count }, (_, row) => {
    const length = 3 + ((row * 5) % 8);
    const ids = Array.from(
      { length },
      (_, position) => (row * 7 + position * position * 3 + position) % vocabularySize,
    );
    return spansOf(`row${row}`, ids, 1 + (row % (length - 1)));
  });
}

/** A step without what the clock and the machine decide. */
export function untimed(record: StepRecord): object {
  const { seconds, tokensPerSecond, supervisedTokensPerSecond, memoryBytes, ...rest } = record;
  return {
    ...rest,
    measured: [seconds, tokensPerSecond, supervisedTokensPerSecond, memoryBytes].every(Number.isFinite),
  };
}
