import { exactGeluOperation, geluOperation } from "../../engine/ops/gelu.js";
import { reshape } from "../../engine/ops/kernels.js";
import { selfAttentionOperation } from "../../engine/ops/attention.js";
import type { AttentionMask } from "../../engine/ops/attention-mask.js";
import { positionsOperation } from "../../engine/ops/positions.js";
import type { TensorFlow } from "../../engine/tensorflow.js";
import type { Dropout } from "../dropout.js";
import type { Layers } from "../layers.js";
import type { BertConfig } from "./config.js";

type Tensor = TensorFlow.Tensor;

/** What goes through the encoder, int32 `[batch, time]` each. */
export interface EncoderRows {
  readonly ids: TensorFlow.Tensor2D;
  readonly tokenTypes: TensorFlow.Tensor2D;
  /** By default each row counts from 0, padding included. */
  readonly positions: TensorFlow.Tensor2D | undefined;
  readonly mask: AttentionMask;
  /** Whether blocks keep nothing but their input, see `Tape.recompute`. */
  readonly recomputeBlocks: boolean;
  /** Told of each layer's attention weights. */
  readonly onAttention?: ((layer: number, weights: Tensor) => void) | undefined;
}

/**
 * The encoder from token ids to the hidden states of the last block, `[batch * time, width]`. Norms come after the sums.
 */
export function bertForward(
  layerOf: Layers,
  config: BertConfig,
  rows: EncoderRows,
  dropout: Dropout,
): Tensor {
  const { tape } = layerOf;
  const { contextLength, epsilon } = config;
  const { ids, tokenTypes, positions, recomputeBlocks } = rows;
  const [batch, time] = ids.shape;
  const size = batch * time;
  const words = layerOf.rows(layerOf.parameter("embedding.token"), reshape(ids, [size]));
  const placed = tape.apply(positionsOperation, [words, layerOf.parameter("embedding.position")], {
    ...{ batch, time, positions, contextLength },
  });
  const types = layerOf.rows(layerOf.parameter("embedding.type"), reshape(tokenTypes, [size]));
  const embedded = layerOf.layerNorm("embedding.norm", layerOf.residual(placed, types), epsilon);
  let stream = dropout.apply(layerOf, embedded);
  for (let layer = 0; layer < config.layers; layer++) {
    const inputs = [stream] as const;
    const run = dropout.repeatable(([input]: typeof inputs) =>
      block(layerOf, config, input, layer, rows, dropout),
    );
    stream = recomputeBlocks ? tape.recompute(inputs, run) : tape.scope(() => run(inputs));
  }
  return stream;
}

function block(
  layerOf: Layers,
  config: BertConfig,
  input: Tensor,
  layer: number,
  { ids, mask, onAttention }: EncoderRows,
  dropout: Dropout,
): Tensor {
  const { epsilon, heads } = config;
  const [batch, time] = ids.shape;
  const attention = `layers.${layer}.attention`;
  const feedForward = `layers.${layer}.feedForward`;
  const joint = layerOf.linear(`${attention}.queryKeyValue`, input);
  const weights = dropout.mask([batch, heads, time, time]);
  const layout = { batch, time, heads, keyValueHeads: heads, rotary: undefined };
  const mixed = layerOf.tape.apply(selfAttentionOperation, [joint], {
    ...{ mask, dropout: weights, ...layout },
    ...(onAttention && { onWeights: (own: Tensor) => onAttention(layer, own) }),
  });
  const attended = dropout.apply(layerOf, layerOf.linear(`${attention}.output`, mixed));
  const middle = layerOf.layerNorm(`${attention}.norm`, layerOf.residual(input, attended), epsilon);
  const activated = activation(layerOf, config, layerOf.linear(`${feedForward}.up`, middle));
  const branch = dropout.apply(layerOf, layerOf.linear(`${feedForward}.down`, activated));
  return layerOf.layerNorm(`${feedForward}.norm`, layerOf.residual(middle, branch), epsilon);
}

/** The activation of a config. */
export function activation(layerOf: Layers, config: BertConfig, x: Tensor): Tensor {
  const operation = config.activation === "gelu" ? exactGeluOperation : geluOperation;
  return layerOf.tape.apply(operation, [x], undefined);
}
